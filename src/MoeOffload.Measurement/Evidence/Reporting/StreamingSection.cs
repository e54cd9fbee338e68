using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Plots;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about the speed over HTTP, streamed and not, with and without offloading.</summary>
internal static class StreamingSection
{
    private const int LeastRounds = 5;

    private static readonly string[] s_gapStatistics = ["median", "p95", "p99", "min", "max"];

    public static IEnumerable<Block> Of(ModelEvidence model, FigureSet figures)
    {
        SampleSet samples = model.Samples("streaming");
        if (samples.Count == 0)
        {
            yield break;
        }

        var cells = new Cells(figures);
        string root = $"{model.Name}/streaming";
        string[] placements = PlacementsOf(samples);
        string[] prompts = [.. samples.By("prompt").Select(prompt => $"{prompt.Value}")];
        JsonObject protocol = model.Protocol.Object("streaming");
        yield return new HeadingBlock(3, "Streaming");
        yield return new ParagraphBlock(string.Create(
            CultureInfo.InvariantCulture,
            $"{protocol.Whole("rounds")} rounds over HTTP, each prompt streamed and not in each placement, at most {protocol.Whole("max_tokens")} tokens at temperature {protocol.Number("temperature"):0.##}, the model loaded once. Tokens are those of the model's vocabulary; the time to the first token (TTFT) ends with the first byte of text. Medians, in brackets the least and the largest request."));
        foreach (Block block in Conditions.FewRounds(model, "streaming", LeastRounds))
        {
            yield return block;
        }

        yield return new TableBlock(
            root,
            Conditions.Caption(model, "Speed by prompt"),
            ["placement", "prompt", ">whole answer, tokens/s", ">generation, tokens/s", ">prompt, tokens/s", ">TTFT, ms"],
            [
                .. placements.SelectMany(placement => prompts.Append(string.Empty).Select(prompt =>
                {
                    string id = prompt.Length == 0 ? $"{root}/{placement}" : $"{root}/{placement}/{prompt}";
                    return (IReadOnlyList<Cell>)
                    [
                        PlacementName.Of(placement), prompt.Length == 0 ? "all" : prompt.Replace('_', ' '), .. StreamingFigures.Fields.Select(field => cells.Spread($"{id}/{field.Field}")),
                    ];
                })),
            ]);
        yield return new TableBlock(
            $"{root}-gaps",
            Conditions.Caption(model, "Time between tokens, ms"),
            ["placement", ">median", ">95th percentile", ">99th percentile", ">least", ">largest"],
            [
                .. placements.Select(placement => (IReadOnlyList<Cell>)
                [
                    PlacementName.Of(placement), .. s_gapStatistics.Select(statistic => cells.Number($"{root}/{placement}/gaps_ms/{statistic}")),
                ]),
            ]);
        yield return Differences(model, cells, root, placements);
        yield return Bars($"{root}-decode", "generation by prompt", "tokens/s", "decode_tokens_per_second");
        yield return Bars($"{root}-ttft", "time to the first token by prompt", "ms", "ttft_ms");

        PlotBlock Bars(string name, string title, string unit, string field) => new(name, new BarPlot
        {
            Title = $"{model.Name}: {title}",
            Subtitle = $"median, least and largest · {Conditions.Of(model)}",
            Unit = unit,
            Series = [.. placements.Select(PlacementName.Of)],
            Groups =
            [
                .. prompts.Select(prompt => new BarGroup(
                    prompt.Replace('_', ' '), [.. placements.Select(placement => cells.Bar($"{root}/{placement}/{prompt}/{field}"))])),
            ],
        });
    }

    private static TableBlock Differences(ModelEvidence model, Cells cells, string root, string[] placements)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        foreach ((string field, string unit) in StreamingFigures.Fields.Where(field => cells.Has($"{root}/offload_against_device/{field.Field}/ratio_of_medians")))
        {
            rows.Add(Row($"experts on CPU against all on device: {NameOf(field)}, {unit}", $"{root}/offload_against_device/{field}"));
        }

        rows.AddRange(placements.Where(placement => cells.Has($"{root}/{placement}/streamed_against_unstreamed/tokens_per_second/ratio_of_medians")).Select(placement =>
            Row($"streamed against not, {PlacementName.Of(placement)}: whole answer, tokens/s", $"{root}/{placement}/streamed_against_unstreamed/tokens_per_second")));
        return new TableBlock(
            $"{root}-differences",
            Conditions.Caption(model, "Differences of medians over all prompts, with 95 % confidence intervals"),
            ["what against what", ">difference", ">times"],
            rows);

        IReadOnlyList<Cell> Row(string what, string id) => [what, cells.Interval($"{id}/difference_of_medians"), cells.Interval($"{id}/ratio_of_medians")];
    }

    private static string[] PlacementsOf(SampleSet samples) =>
        [.. samples.By("placement").Select(placement => $"{placement.Value}").OrderBy(placement => placement == BenchPlacement.Offload).ThenBy(placement => placement, StringComparer.Ordinal)];

    private static string NameOf(string field) => field switch
    {
        "tokens_per_second" => "whole answer",
        "decode_tokens_per_second" => "generation",
        "prompt_tokens_per_second" => "prompt",
        _ => "TTFT",
    };
}
