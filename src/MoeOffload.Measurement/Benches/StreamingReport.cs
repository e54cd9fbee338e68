using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Reports the results of <see cref="StreamingBench"/>.</summary>
/// <param name="samples">The samples.</param>
internal sealed class StreamingReport(SampleSet samples) : IBenchReport
{
    private static readonly (string Field, string Statistic)[] s_columns =
    [
        ("ttft_ms", "median"),
        ("prompt_tokens_per_second", "median"),
        ("decode_tokens_per_second", "median"),
        ("tokens_per_second", "median"),
        ("gaps_ms", "median"),
        ("gaps_ms", "p95"),
        ("gaps_ms", "p99"),
    ];

    public IEnumerable<SampleStatistic> Figures => Ways()
        .SelectMany(way => s_columns.Select(column => new SampleStatistic(column.Statistic, column.Field, way)))
        .Concat(Comparisons().SelectMany(comparison => Interval(comparison.SampleStatistic)));

    public void WriteTo(TextWriter writer)
    {
        var table = new Columns(
            "prompt", ">tokens", "placement", "answer", ">runs", ">TTFT ms", ">prompt t/s", ">decode t/s", ">overall t/s", ">gap ms", ">95 %", ">99 %");
        foreach (JsonObject way in Ways())
        {
            SampleSet own = samples.Where(way);
            table.Add(
                [
                    (string)way["prompt"]!,
                    NumberText.Of(own.Numbers("prompt_tokens")[0]),
                    (string)way["placement"]!,
                    (bool)way["stream"]! ? "streamed" : "whole",
                    NumberText.Of(own.Count),
                    .. s_columns.Select(column => NumberText.Of(new SampleStatistic(column.Statistic, column.Field, way).Compute(samples))),
                ]);
        }

        writer.WriteLine("Medians; gaps are between pieces of text as they arrive.");
        table.WriteTo(writer);
        var differences = new Columns("difference of medians", ">by", ">95 % from", ">to");
        foreach ((string what, SampleStatistic figure) in Comparisons())
        {
            differences.Add([what, .. Interval(figure).Select(part => NumberText.Of(part.Compute(samples)))]);
        }

        writer.WriteLine();
        differences.WriteTo(writer);
    }

    private static IEnumerable<SampleStatistic> Interval(SampleStatistic figure) =>
        [figure, figure with { Statistic = figure.Statistic + ".low" }, figure with { Statistic = figure.Statistic + ".high" }];

    private IEnumerable<JsonObject> Ways() =>
        from prompt in samples.By("prompt")
        from placement in prompt.Samples.By("placement")
        from stream in placement.Samples.By("stream").OrderByDescending(one => (bool)one.Value!)
        select new JsonObject
        {
            ["prompt"] = prompt.Value!.DeepClone(),
            ["placement"] = placement.Value!.DeepClone(),
            ["stream"] = stream.Value!.DeepClone(),
        };

    private IEnumerable<(string What, SampleStatistic SampleStatistic)> Comparisons() => samples.By("prompt").SelectMany(prompt => Comparisons((string)prompt.Value!, prompt.Samples));

    private static IEnumerable<(string What, SampleStatistic SampleStatistic)> Comparisons(string prompt, SampleSet own)
    {
        string[] placements = [.. own.By("placement").Select(placement => (string)placement.Value!)];
        if (placements.Contains(BenchPlacement.Offload) && placements.Contains(BenchPlacement.Device))
        {
            JsonObject offload = Way(prompt, BenchPlacement.Offload, true);
            JsonObject device = Way(prompt, BenchPlacement.Device, true);
            yield return ($"{prompt}: TTFT ms, offload less device", new SampleStatistic("difference_of_medians", "ttft_ms", offload, device));
            yield return ($"{prompt}: decode t/s, offload less device", new SampleStatistic("difference_of_medians", "decode_tokens_per_second", offload, device));
        }

        foreach (string placement in placements)
        {
            yield return (
                $"{prompt}: overall t/s, streamed less whole, {placement}",
                new SampleStatistic("difference_of_medians", "tokens_per_second", Way(prompt, placement, true), Way(prompt, placement, false)));
        }
    }

    private static JsonObject Way(string prompt, string placement, bool stream) => new() { ["prompt"] = prompt, ["placement"] = placement, ["stream"] = stream };
}
