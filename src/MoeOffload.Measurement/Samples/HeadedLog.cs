using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Puts what all samples of a bench have in common before the fields of each.</summary>
/// <param name="log">Gets the samples.</param>
/// <param name="head">What they begin with.</param>
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
