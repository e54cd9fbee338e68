using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence;

/// <summary>What a folder has of one model.</summary>
internal sealed class ModelEvidence
{
    private static readonly string[] s_benches = ["streaming", "memory", "quality", "sweep"];

    private readonly EvidenceFiles _files;
    private readonly Dictionary<string, SampleSet> _samples = new(StringComparer.Ordinal);

    /// <summary>Reads it.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="protocol">What was measured how often, by bench.</param>
    /// <exception cref="FormatException">A file is broken, or missing.</exception>
    public ModelEvidence(EvidenceFiles files, string name, JsonObject protocol)
    {
        _files = files;
        Name = name;
        Protocol = protocol;
        Facts = files.ReadObject(FileOf("model.json"));
        foreach (string bench in Benches)
        {
            _samples[bench] = files.ReadSamples(SamplesFileOf(bench));
        }
    }

    public string Name { get; }

    /// <summary>What was measured how often, by bench.</summary>
    public JsonObject Protocol { get; }

    /// <summary>What the model is: <c>model.json</c>.</summary>
    public JsonObject Facts { get; }

    /// <summary>The benches that were run, in the order of the report.</summary>
    public IEnumerable<string> Benches => s_benches.Where(Protocol.ContainsKey);

    /// <summary>Whether the weights are random numbers.</summary>
    public bool IsSynthetic => Facts.Flag("synthetic");

    /// <summary>The placements of which there are loading logs.</summary>
    public IEnumerable<string> Placements => Protocol.Texts("placements");

    /// <summary>The devices beside the CPU that the model was measured on; none where only the CPU was there.</summary>
    public IReadOnlyList<JsonObject> Devices => [.. Facts.Objects("devices")];

    /// <summary>A bench's samples; none where it was not run.</summary>
    public SampleSet Samples(string bench) => _samples.GetValueOrDefault(bench) ?? new SampleSet([]);

    /// <summary>Where each tensor was.</summary>
    public SampleSet Tensors(string placement) => _files.ReadSamples(TensorsFileOf(placement));

    /// <summary>The lines of a loading log.</summary>
    public string[] LoadLog(string placement) => _files.ReadLines(LogFileOf(placement));

    public string FileOf(string file) => FileOf(Name, file);

    public string SamplesFileOf(string bench) => FileOf($"{bench}.jsonl");

    public string TensorsFileOf(string placement) => FileOf($"tensors-{placement}.jsonl");

    public string LogFileOf(string placement) => FileOf($"load-{placement}.log");

    /// <summary>A file of a model in the folder.</summary>
    public static string FileOf(string model, string file) => $"{EvidenceFiles.Models}/{model}/{file}";
}
