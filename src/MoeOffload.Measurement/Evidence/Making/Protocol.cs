using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Creates the protocol of a completed benchmark, which lists its measurements and their repeats. It reveals missing samples.</summary>
internal static class Protocol
{
    /// <summary>Creates the protocol of a benchmark.</summary>
    /// <param name="bench">The name of the benchmark.</param>
    /// <param name="samples">All its samples.</param>
    public static JsonObject Of(string bench, SampleSet samples)
    {
        var protocol = new JsonObject { ["rounds"] = Math.Max(1, samples.By("round").Count()) };
        foreach (string setting in new[] { "max_tokens", "temperature" })
        {
            if (samples.By(setting).ToArray() is [(JsonValue value, _)])
            {
                protocol[setting] = value.DeepClone();
            }
        }

        IEnumerable<KeyValuePair<string, JsonNode?>> what = bench switch
        {
            "streaming" => Axes(samples, "placement", "prompt", "stream"),
            "memory" => Axes(samples, "placement", "moment"),
            "quality" => Quality(samples),
            _ => Points(samples),
        };
        foreach ((string name, JsonNode? value) in what)
        {
            protocol[name] = value;
        }

        return protocol;
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Axes(SampleSet samples, params string[] fields) =>
        fields.Select(field => KeyValuePair.Create(field, (JsonNode?)Values(samples, field)));

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Quality(SampleSet samples)
    {
        SampleSet greedy = samples.Where(new JsonObject { ["measure"] = "greedy" });
        yield return KeyValuePair.Create("compared", (JsonNode?)Values(greedy, "placement"));
        yield return KeyValuePair.Create("prompt", (JsonNode?)Values(greedy, "prompt"));
        foreach (KeyValuePair<string, JsonNode?> axis in Axes(samples.Where(new JsonObject { ["measure"] = "perplexity" }), "placement", "window"))
        {
            yield return axis;
        }

        SampleSet logits = samples.Where(new JsonObject { ["measure"] = "logits" });
        yield return KeyValuePair.Create("positions", (JsonNode?)Json.Array(logits.By("placement").SelectMany(placement => placement.Samples.By("window").Select(window => new JsonObject
        {
            ["placement"] = placement.Value?.DeepClone(),
            ["window"] = window.Value?.DeepClone(),
            ["first"] = window.Samples.Min(sample => sample.Fields.Whole("position")),
            ["count"] = window.Samples.Count,
        }))));
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Points(SampleSet samples)
    {
        yield return KeyValuePair.Create("points", (JsonNode?)Json.Array(samples.By("source").SelectMany(source => source.Samples.By("axis").Select(axis => new JsonObject
        {
            ["source"] = new JsonArray(source.Value?.DeepClone()),
            ["axis"] = new JsonArray(axis.Value?.DeepClone()),
            ["value"] = Values(axis.Samples, "value"),
        }))));
    }

    private static JsonArray Values(SampleSet samples, string field) => Json.Array(samples.By(field).Select(item => item.Value?.DeepClone()));
}
