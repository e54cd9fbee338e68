using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>
/// Writes samples as JSON lines, each at once, so that a run that is ended keeps what it has. What is said of them is computed from the
/// lines as they were written: nothing else is kept.
/// </summary>
/// <param name="writer">Where the lines go, beside <see cref="Samples"/>; null for nowhere. The caller's to dispose.</param>
internal sealed class SampleLog(TextWriter? writer = null) : ISampleLog
{
    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<Sample> _samples = [];

    /// <summary>What was logged so far, read back from its lines.</summary>
    public SampleSet Samples => new(_samples);

    public void Add(JsonObject sample)
    {
        string line = sample.ToJsonString(s_line);
        writer?.WriteLine(line);
        writer?.Flush();
        _samples.Add(Sample.Parse(_samples.Count + 1, line));
    }
}
