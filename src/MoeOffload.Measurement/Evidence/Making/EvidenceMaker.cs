using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Measures models and writes the evidence to a new folder. Files can be read while others are added; the hashes are written last.</summary>
/// <param name="directory">The folder.</param>
/// <param name="command">The command line.</param>
internal sealed class EvidenceMaker(string directory, string command)
{
    private readonly List<(string Name, JsonObject Protocol)> _protocols = [];
    private PathMask? _mask;

    /// <summary>Creates the folder and describes the machine.</summary>
    /// <param name="load">The options for loading, which set the directory of the native libraries and the devices.</param>
    /// <exception cref="IOException">The folder is not empty or cannot be created.</exception>
    /// <exception cref="MoeOffloadException">The native libraries are missing.</exception>
    public void Begin(ModelOptions load)
    {
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new IOException($"{directory} is not empty: evidence requires a new or empty folder. Set another one with --output.");
        }

        _mask = new PathMask(PathMask.Usual(MoeModel.DescribeRuntime(load).Directory));
        WriteObject(EvidenceFiles.Machine, MachineFacts.Ask(load));
        EvidenceWriter.WriteText(directory, EvidenceFiles.Commands, _mask.Apply(command) + "\n");
    }

    /// <summary>Measures a model.</summary>
    /// <param name="subject">The model.</param>
    /// <param name="benches">The benchmarks to run.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancellationToken">Cancels the measurement. Completed measurements are kept.</param>
    /// <exception cref="LoadFailedException">The model cannot be loaded.</exception>
    /// <exception cref="MoeOffloadException">A run failed.</exception>
    public async Task AddAsync(BenchSubject subject, IReadOnlyList<IBench> benches, IProgress<BenchProgress> progress, CancellationToken cancellationToken)
    {
        string name = NameOf(subject);
        if (_protocols.Any(model => model.Name == name))
        {
            throw new ArgumentException($"Two models would have the name '{name}': measure them into separate folders.");
        }

        Directory.CreateDirectory(PathOf(name, string.Empty));
        var protocol = new JsonObject();
        int contextLength = 0;
        IReadOnlyList<BenchPlacement> placements = subject.Placements();
        var mask = new PathMask([(Path.GetDirectoryName(subject.Path)!, string.Empty), .. PathMask.Usual(MoeModel.DescribeRuntime(subject.Load).Directory)]);
        foreach (BenchPlacement placement in placements)
        {
            progress.Report(new BenchProgress(0, 1, $"loading, {placement.Name}"));
            contextLength = await LoadRecorder.RecordAsync(
                subject.Path, placement.Load, subject.Context, PathOf(name, $"load-{placement.Name}.log"), PathOf(name, $"tensors-{placement.Name}.jsonl"), mask, cancellationToken)
                .ConfigureAwait(false);
        }

        protocol["placements"] = Json.Array(placements.Select(placement => placement.Name));
        WriteObject(ModelEvidence.FileOf(name, "model.json"), await ModelFacts.ReadAsync(subject, contextLength, cancellationToken).ConfigureAwait(false));
        foreach (IBench bench in benches)
        {
            using var file = new SampleFile(PathOf(name, $"{bench.Name}.jsonl"));
            var log = new SampleLog(file);
            await bench.RunAsync(log, progress, cancellationToken).ConfigureAwait(false);
            protocol[bench.Name] = Protocol.Of(bench.Name, log.Samples);
        }

        _protocols.Add((name, protocol));
    }

    /// <summary>Writes the report, the manifest and the hashes.</summary>
    public void End() => EvidenceWriter.Finish(directory, _protocols);

    /// <summary>Returns the name of a model's folder: the model's name without characters that a file system might not support.</summary>
    private static string NameOf(BenchSubject subject)
    {
        string name = string.Concat(subject.Name.Select(character => EvidenceManifest.IsModelName($"a{character}") ? character : '-'));
        return EvidenceManifest.IsModelName(name) ? name : "model";
    }

    private string PathOf(string model, string file) => Path.Combine(directory, ModelEvidence.FileOf(model, file));

    private void WriteObject(string name, JsonObject value)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        Json.Write(writer, value);
        EvidenceWriter.WriteText(directory, name, writer.ToString());
    }
}
