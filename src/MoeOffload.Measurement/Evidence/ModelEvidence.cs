using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence;

/// <summary>Represents the evidence of one model in a folder.</summary>
internal sealed class ModelEvidence
{
    private static readonly string[] s_benches = ["streaming", "memory", "quality", "sweep"];

    private readonly EvidenceFiles _files;
    private readonly Dictionary<string, SampleSet> _samples = new(StringComparer.Ordinal);

    /// <summary>Reads the evidence of a model.</summary>
    /// <param name="files">The folder.</param>
    /// <param name="name">The name of the model.</param>
    /// <param name="protocol">The protocol, which lists the measurements and their repeats by benchmark.</param>
    /// <exception cref="FormatException">A file is missing or not valid.</exception>
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

    /// <summary>Gets the protocol, which lists the measurements and their repeats by benchmark.</summary>
    public JsonObject Protocol { get; }

    /// <summary>Gets the description of the model, from <c>model.json</c>.</summary>
    public JsonObject Facts { get; }

    /// <summary>Gets the benchmarks that were run, in the order of the report.</summary>
    public IEnumerable<string> Benches => s_benches.Where(Protocol.ContainsKey);

    /// <summary>Gets a value that indicates whether the weights are random numbers.</summary>
    public bool IsSynthetic => Facts.Flag("synthetic");

    /// <summary>Gets the placements that have loading logs.</summary>
    public IEnumerable<string> Placements => Protocol.Texts("placements");

    /// <summary>Gets the devices that the model was measured on, without the CPU.</summary>
    public IReadOnlyList<JsonObject> Devices => [.. Facts.Objects("devices")];

    /// <summary>Returns the samples of a benchmark, or none if it was not run.</summary>
    public SampleSet Samples(string bench) => _samples.GetValueOrDefault(bench) ?? new SampleSet([]);

    /// <summary>Reads the location of each tensor.</summary>
    public SampleSet Tensors(string placement) => _files.ReadSamples(TensorsFileOf(placement));

    /// <summary>Reads the lines of a loading log.</summary>
    public string[] LoadLog(string placement) => _files.ReadLines(LogFileOf(placement));

    public string FileOf(string file) => FileOf(Name, file);

    public string SamplesFileOf(string bench) => FileOf($"{bench}.jsonl");

    public string TensorsFileOf(string placement) => FileOf($"tensors-{placement}.jsonl");

    public string LogFileOf(string placement) => FileOf($"load-{placement}.log");

    /// <summary>Returns the path of a file of a model in the folder.</summary>
    public static string FileOf(string model, string file) => $"{EvidenceFiles.Models}/{model}/{file}";
}
