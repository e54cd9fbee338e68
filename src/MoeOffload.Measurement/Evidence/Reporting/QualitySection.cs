using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section that compares the results with and without offloading.</summary>
internal static class QualitySection
{
    public static IEnumerable<Block> Of(ModelEvidence model, FigureSet figures)
    {
        SampleSet samples = model.Samples("quality");
        if (samples.Count == 0)
        {
            yield break;
        }

        var cells = new Cells(figures);
        string root = $"{model.Name}/quality";
        yield return new HeadingBlock(3, "Quality");
        yield return new ParagraphBlock(
            "The model with its experts on the CPU against the same model on the device: whether greedy decoding chooses the same tokens, how far the distributions of the next token are apart, and the perplexity of a text.");
        if (model.IsSynthetic)
        {
            yield return new ParagraphBlock("Of random weights these figures show that the computation agrees; perplexity means nothing.", IsWarning: true);
        }

        var rows = new List<IReadOnlyList<Cell>>
        {
            Row("greedy tokens that are equal, %", cells.Number($"{root}/greedy/equal_tokens/{FigureMath.Share}")),
            Row("greedy tokens compared", cells.Number($"{root}/greedy/tokens/sum")),
            Row("positions at which the same token is the likeliest, %", cells.Number($"{root}/logits/same_top/{FigureMath.TrueShare}")),
            Row("KL divergence, mean, nats", cells.Number($"{root}/logits/kl_divergence/mean")),
            Row("KL divergence, 99th percentile, nats", cells.Number($"{root}/logits/kl_divergence/p99")),
            Row("KL divergence, largest, nats", cells.Number($"{root}/logits/kl_divergence/max")),
            Row("largest difference of a logit", cells.Number($"{root}/logits/max_difference/max")),
            Row("positions compared", cells.Number($"{root}/logits/kl_divergence/count")),
        };
        rows.AddRange(samples.Where(new JsonObject { ["measure"] = "perplexity" }).By("placement").Select(placement =>
            Row($"perplexity, {PlacementName.Of($"{placement.Value}")} [95 % interval]", cells.Interval($"{root}/perplexity/{placement.Value}/perplexity"))));
        yield return new TableBlock(root, Conditions.Caption(model, "Offloaded against not"), ["measure", ">value"], rows);
    }

    private static IReadOnlyList<Cell> Row(string what, Cell value) => [what, value];
}
