using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes how far the output, the distributions and the perplexity of the offloaded model differ from those on the device.</summary>
internal static class QualityFigures
{
    public static void Add(FigureSet figures, ModelEvidence model)
    {
        SampleSet all = model.Samples("quality");
        string file = model.SamplesFileOf("quality");
        string root = $"{model.Name}/quality";
        SampleSet Measured(string measure) => all.Where(new JsonObject { ["measure"] = measure });

        SampleSet greedy = Measured("greedy");
        figures.Add($"{root}/greedy/tokens", Units.Tokens, "sum", file, greedy, "tokens");
        figures.AddComparison($"{root}/greedy/equal_tokens", Units.Percent, FigureMath.Share, file, (greedy, "equal_tokens"), (greedy, "tokens"));

        SampleSet logits = Measured("logits");
        figures.AddAll($"{root}/logits/kl_divergence", Units.Nats, [Statistic.Count, "mean", "median", "p99", "max"], file, logits, "kl_divergence");
        figures.AddAll($"{root}/logits/max_difference", Units.None, ["median", "p99", "max"], file, logits, "max_difference");
        figures.Add($"{root}/logits/same_top", Units.Percent, FigureMath.TrueShare, file, logits, "same_top");

        foreach ((JsonNode? placement, SampleSet windows) in Measured("perplexity").By("placement"))
        {
            figures.Add($"{root}/perplexity/{placement}/tokens", Units.Tokens, "sum", file, windows, "tokens");
            figures.AddInterval(
                $"{root}/perplexity/{placement}", Units.None, "perplexity", file, (windows, "negative_log_likelihood"), (windows, "tokens"));
        }
    }
}
