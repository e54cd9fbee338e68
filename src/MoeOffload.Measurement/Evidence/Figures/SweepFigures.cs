using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes the speed for each value of a setting, and compares it with llama.cpp's own benchmark.</summary>
internal static class SweepFigures
{
    /// <summary>The name of this tool in the field that names who measured.</summary>
    public const string Own = "moe";

    /// <summary>The name of llama.cpp's tool in the field that names who measured.</summary>
    public const string Peer = "llama-bench";

    /// <summary>Gets the reported fields of a point and their units.</summary>
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
