using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes the speed over HTTP for each placement and prompt, streamed or not, and compares the placements.</summary>
internal static class StreamingFigures
{
    /// <summary>Gets the reported fields of a request and their units.</summary>
    public static IReadOnlyList<(string Field, string Unit)> Fields { get; } =
    [
        ("tokens_per_second", Units.Speed),
        ("decode_tokens_per_second", Units.Speed),
        ("prompt_tokens_per_second", Units.Speed),
        ("ttft_ms", Units.Time),
    ];

    private static readonly string[] s_spread = ["median", "min", "max"];
    private static readonly string[] s_gaps = ["median", "p95", "p99", "min", "max"];

    public static void Add(FigureSet figures, ModelEvidence model)
    {
        SampleSet all = model.Samples("streaming");
        string file = model.SamplesFileOf("streaming");
        string root = $"{model.Name}/streaming";
        foreach ((JsonNode? placement, SampleSet samples) in all.By("placement"))
        {
            string id = $"{root}/{placement}";
            figures.AddAll($"{id}/tokens", Units.Tokens, [Statistic.Count, "sum", "min", "max"], file, samples, "tokens");
            foreach ((string field, string unit) in Fields)
            {
                figures.AddAll($"{id}/{field}", unit, s_spread, file, samples, field);
                foreach ((JsonNode? prompt, SampleSet asked) in samples.By("prompt"))
                {
                    figures.AddAll($"{id}/{prompt}/{field}", unit, s_spread, file, asked, field);
                }
            }

            figures.AddAll($"{id}/gaps_ms", Units.Time, s_gaps, file, samples, "gaps_ms");
            AddStreamed(figures, id, file, samples);
        }

        SampleSet offload = all.Where(new JsonObject { ["placement"] = BenchPlacement.Offload });
        SampleSet device = all.Where(new JsonObject { ["placement"] = BenchPlacement.Device });
        foreach ((string field, string unit) in Fields)
        {
            AddComparison(figures, $"{root}/offload_against_device/{field}", unit, file, (offload, field), (device, field));
        }
    }

    private static void AddStreamed(FigureSet figures, string id, string file, SampleSet samples)
    {
        const string Field = "tokens_per_second";
        SampleSet streamed = samples.Where(new JsonObject { ["stream"] = true });
        SampleSet whole = samples.Where(new JsonObject { ["stream"] = false });
        figures.AddAll($"{id}/streamed/{Field}", Units.Speed, s_spread, file, streamed, Field);
        figures.AddAll($"{id}/unstreamed/{Field}", Units.Speed, s_spread, file, whole, Field);
        AddComparison(figures, $"{id}/streamed_against_unstreamed/{Field}", Units.Speed, file, (streamed, Field), (whole, Field));
    }

    private static void AddComparison(FigureSet figures, string id, string unit, string file, (SampleSet, string) first, (SampleSet, string) second)
    {
        figures.AddInterval(id, unit, "difference_of_medians", file, first, second);
        figures.AddInterval(id, Units.Ratio, "ratio_of_medians", file, first, second);
    }
}
