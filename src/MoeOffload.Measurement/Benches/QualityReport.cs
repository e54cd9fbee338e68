using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Benches;

/// <summary>Reports the results of <see cref="QualityBench"/>.</summary>
/// <param name="samples">The samples.</param>
internal sealed class QualityReport(SampleSet samples) : IBenchReport
{
    private static readonly JsonObject s_greedy = new() { ["measure"] = "greedy" };
    private static readonly JsonObject s_logits = new() { ["measure"] = "logits" };

    public IEnumerable<SampleStatistic> Figures => Rows().Select(row => row.SampleStatistic);

    public void WriteTo(TextWriter writer)
    {
        var table = new Columns("measure", ">value");
        foreach ((string what, SampleStatistic figure) in Rows())
        {
            table.Add(what, NumberText.Of(figure.Compute(samples)));
        }

        table.WriteTo(writer);
        if (samples.Where(s_logits).Count == 0)
        {
            writer.WriteLine("There is only one placement here: nothing is compared. Name a second device, for instance by --rpc-loopback.");
        }
    }

    private IEnumerable<(string What, SampleStatistic SampleStatistic)> Rows()
    {
        foreach (string placement in samples.Where(new JsonObject { ["measure"] = "perplexity" }).By("placement").Select(placement => (string)placement.Value!))
        {
            var figure = new SampleStatistic(
                "perplexity", "negative_log_likelihood", new JsonObject { ["measure"] = "perplexity", ["placement"] = placement }, OtherField: "tokens");
            yield return ($"perplexity, {placement}", figure);
            yield return ($"perplexity, {placement}, 95 % from", figure with { Statistic = "perplexity.low" });
            yield return ($"perplexity, {placement}, 95 % to", figure with { Statistic = "perplexity.high" });
        }

        if (samples.Where(s_logits).Count > 0)
        {
            yield return ("greedy tokens", new SampleStatistic("sum", "tokens", s_greedy));
            yield return ("greedy tokens equal", new SampleStatistic("sum", "equal_tokens", s_greedy));
            yield return ("positions compared", new SampleStatistic(Statistic.Count, "kl_divergence", s_logits));
            yield return ("KL divergence in nats, mean", new SampleStatistic("mean", "kl_divergence", s_logits));
            yield return ("KL divergence in nats, most", new SampleStatistic("max", "kl_divergence", s_logits));
            yield return ("largest difference of a logit", new SampleStatistic("max", "max_difference", s_logits));
            yield return ("share with the same likeliest token", new SampleStatistic("mean", "same_top", s_logits));
        }
    }
}
