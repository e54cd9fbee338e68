using System.Text.Json.Nodes;
using MoeOffload.Cli.Measurement;
using MoeOffload.Cli.Reports;

namespace MoeOffload.Cli.Evidence.Making;

/// <summary>Says what was measured how often, so that whoever checks the samples knows what must be there.</summary>
internal static class Protocol
{
    /// <summary>The protocol of answers over HTTP.</summary>
    public static JsonObject Of(StreamingOptions options, SampleSet samples) => new()
    {
        ["rounds"] = options.Rounds,
        ["max_tokens"] = options.MaxTokens,
        ["temperature"] = Math.Round(options.Temperature, 3),
        ["placement"] = Values(samples, "placement"),
        ["prompt"] = Values(samples, "prompt"),
        ["stream"] = Values(samples, "stream"),
    };

    /// <summary>The protocol of memory.</summary>
    public static JsonObject Of(MemoryOptions options, SampleSet samples) => new()
    {
        ["rounds"] = options.Rounds,
        ["max_tokens"] = options.MaxTokens,
        ["placement"] = Values(samples, "placement"),
        ["moment"] = Values(samples, "moment"),
    };

    /// <summary>The protocol of quality: what is compared with what is not offloaded, the prompts, windows and positions.</summary>
    public static JsonObject Of(QualityOptions options, SampleSet samples)
    {
        SampleSet logits = samples.Where(new JsonObject { ["measure"] = "logits" });
        return new JsonObject
        {
            ["rounds"] = 1,
            ["greedy_tokens"] = options.GreedyTokens,
            ["window_tokens"] = options.WindowTokens,
            ["compared"] = Values(samples.Where(new JsonObject { ["measure"] = "greedy" }), "placement"),
            ["prompt"] = Values(samples.Where(new JsonObject { ["measure"] = "greedy" }), "prompt"),
            ["placement"] = Values(samples.Where(new JsonObject { ["measure"] = "perplexity" }), "placement"),
            ["window"] = Values(samples.Where(new JsonObject { ["measure"] = "perplexity" }), "window"),
            ["positions"] = Json.Array(logits.By("placement").SelectMany(placement => placement.Samples.By("window").Select(window => new JsonObject
            {
                ["placement"] = placement.Value?.DeepClone(),
                ["window"] = window.Value?.DeepClone(),
                ["first"] = window.Samples.Min(sample => sample.Fields.Whole("position")),
                ["count"] = window.Samples.Count,
            }))),
        };
    }

    /// <summary>The protocol of settings: which points of which axes, measured by what.</summary>
    public static JsonObject Of(SweepOptions options, SampleSet samples) => new()
    {
        ["rounds"] = options.Rounds,
        ["prompt_tokens"] = options.PromptTokens,
        ["tokens"] = options.GeneratedTokens,
        ["points"] = Json.Array(samples.By("source").SelectMany(source => source.Samples.By("axis").Select(axis => new JsonObject
        {
            ["source"] = new JsonArray(source.Value?.DeepClone()),
            ["axis"] = new JsonArray(axis.Value?.DeepClone()),
            ["value"] = Values(axis.Samples, "value"),
        }))),
    };

    private static JsonArray Values(SampleSet samples, string field) => Json.Array(samples.By(field).Select(item => item.Value?.DeepClone()));
}
