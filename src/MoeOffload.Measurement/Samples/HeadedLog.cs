using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Adds the fields that all samples of a benchmark have in common to each sample.</summary>
/// <param name="log">Receives the samples.</param>
/// <param name="head">The common fields.</param>
internal sealed class HeadedLog(ISampleLog log, JsonObject head) : ISampleLog
{
    public void Add(JsonObject sample)
    {
        var whole = (JsonObject)head.DeepClone();
        foreach ((string name, JsonNode? value) in sample)
        {
            whole[name] = value?.DeepClone();
        }

        log.Add(whole);
    }
}
