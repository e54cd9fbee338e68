using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>
/// Writes samples as JSON lines, each at once, so that a run that is ended keeps what it has. What is said of them is computed from the
/// lines as they were written: nothing else is kept.
/// </summary>
/// <param name="file">The file that the lines are written to; null for none. The caller disposes it.</param>
internal sealed class SampleLog(SampleFile? file = null) : ISampleLog
{
    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<Sample> _samples = [];

    /// <summary>Gets the samples that were logged so far, parsed from their lines.</summary>
    public SampleSet Samples => new(_samples);

    public void Add(JsonObject sample)
    {
        string line = sample.ToJsonString(s_line);
        file?.Write(line);
        _samples.Add(Sample.Parse(_samples.Count + 1, line));
    }
}
