using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Speed over a setting, and against llama.cpp's own bench at the same points.</summary>
internal static class SweepFigures
{
    /// <summary>Who measured, where it was this tool.</summary>
    public const string Own = "moe";

    /// <summary>Who measured, where it was llama.cpp's tool.</summary>
    public const string Peer = "llama-bench";

    /// <summary>The fields of a point that are told, and their units.</summary>
    public static IReadOnlyList<(string Field, string Unit)> Fields { get; } =
    [
        ("decode_tokens_per_second", Units.Speed),
        ("prompt_tokens_per_second", Units.Speed),
        ("ttft_ms", Units.Time),
        ("device_bytes", Units.Bytes),
    ];

    public static void Add(FigureSet figures, ModelEvidence model)
    {
        string file = model.SamplesFileOf("sweep");
        string root = $"{model.Name}/sweep";
        foreach ((JsonNode? axis, SampleSet ofAxis) in model.Samples("sweep").By("axis"))
        {
            foreach ((JsonNode? value, SampleSet point) in ofAxis.By("value"))
            {
                SampleSet own = point.Where(new JsonObject { ["source"] = Own });
                SampleSet peer = point.Where(new JsonObject { ["source"] = Peer });
                foreach ((string field, string unit) in Fields)
                {
                    figures.AddAll($"{root}/{Own}/{axis}/{value}/{field}", unit, ["median", "min", "max"], file, own, field);
                    figures.AddAll($"{root}/{Peer}/{axis}/{value}/{field}", unit, ["median", "min", "max"], file, peer, field);
                    figures.AddInterval(
                        $"{root}/{Own}_against_{Peer}/{axis}/{value}/{field}", Units.Ratio, "ratio_of_medians", file, (own, field), (peer, field));
                }
            }
        }
    }
}
