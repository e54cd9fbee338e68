using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>
/// Writes each sample as a line of JSON as soon as it is measured, so that an interrupted run keeps its samples. Reports are computed from the
/// lines as written.
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
