using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Plots;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about the speed over a setting, together with llama.cpp's own benchmark if it was run.</summary>
internal static class SweepSection
{
    private const int LeastRounds = 3;

    public static IEnumerable<Block> Of(ModelEvidence model, FigureSet figures)
    {
        SampleSet samples = model.Samples("sweep");
        if (samples.Count == 0)
        {
            yield break;
        }

        var cells = new Cells(figures);
        yield return new HeadingBlock(3, "Settings");
        yield return new ParagraphBlock("One setting is changed at a time. Medians, in brackets the least and the largest repeat; ratios with 95 % confidence intervals.");
        foreach (Block block in Conditions.FewRounds(model, "sweep", LeastRounds))
        {
            yield return block;
        }

        foreach ((JsonNode? value, SampleSet ofAxis) in samples.By("axis"))
        {
            string axis = $"{value}";
            string[] sources = [.. ofAxis.By("source").Select(source => $"{source.Value}")];
            string[] points = [.. ofAxis.By("value").Select(point => (Text: $"{point.Value}", Order: NumberOf(point.Value))).OrderBy(point => point.Order).Select(point => point.Text)];
            yield return Table(model, cells, axis, sources, points);
            foreach (PlotBlock plot in Plots(model, cells, axis, sources, points))
            {
                yield return plot;
            }
        }
    }

    private static IEnumerable<PlotBlock> Plots(ModelEvidence model, Cells cells, string axis, string[] sources, string[] points)
    {
        (string Field, string Unit, string What, string Suffix)[] plots =
        [
            ("decode_tokens_per_second", Units.Speed, "generation", "decode"),
            ("prompt_tokens_per_second", Units.Speed, "prompt", "prompt"),
            .. axis == SweepAxis.ExpertLayers ? [("device_bytes", "MiB", "memory of the device", "memory")] : Array.Empty<(string, string, string, string)>(),
        ];
        foreach ((string field, string unit, string what, string suffix) in plots)
        {
            string[] shown = [.. sources.Where(source => points.Any(point => cells.Bar(IdOf(model, source, axis, point, field)) is not null))];
            if (shown.Length > 0)
            {
                yield return Plot(model, cells, axis, shown, points, (field, unit), what, suffix);
            }
        }
    }

    private static TableBlock Table(ModelEvidence model, Cells cells, string axis, string[] sources, string[] points)
    {
        string root = $"{model.Name}/sweep";
        bool hasPeer = sources.Contains(SweepFigures.Peer);
        return new TableBlock(
            $"{root}-{axis}",
            Conditions.Caption(model, $"Speed by {NameOf(axis)}"),
            [NameOf(axis), "measured by", ">generation, tokens/s", ">prompt, tokens/s", ">TTFT, ms", ">device, MiB", .. hasPeer ? [">generation, times llama-bench", ">prompt, times llama-bench"] : Array.Empty<string>()],
            [
                .. points.SelectMany(point => sources.Where(source => SweepFigures.Fields.Any(field => cells.Has($"{root}/{source}/{axis}/{point}/{field.Field}/median"))).Select(source => (IReadOnlyList<Cell>)
                [
                    NameOf(axis, point),
                    source,
                    .. SweepFigures.Fields.Select(field => cells.Spread($"{root}/{source}/{axis}/{point}/{field.Field}")),
                    .. !hasPeer ? [] : source != SweepFigures.Own ? [string.Empty, string.Empty] : new[] { Ratio(point, "decode_tokens_per_second"), Ratio(point, "prompt_tokens_per_second") },
                ])),
            ]);

        Cell Ratio(string point, string field) => cells.Interval($"{root}/{SweepFigures.Own}_against_{SweepFigures.Peer}/{axis}/{point}/{field}/ratio_of_medians");
    }

    private static PlotBlock Plot(ModelEvidence model, Cells cells, string axis, string[] shown, string[] points, (string Name, string Unit) field, string what, string suffix)
    {
        Bar? BarOf(string source, string point) => cells.Bar(IdOf(model, source, axis, point, field.Name));
        string title = $"{model.Name}: {what} by {NameOf(axis)}";
        string subtitle = $"median, least and largest · {Conditions.Of(model)}";
        bool isCurve = axis != SweepAxis.HostMemory && points.All(point => double.TryParse(point, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number));
        return new PlotBlock(
            $"{model.Name}/sweep-{axis}-{suffix}",
            isCurve
                ? new LinePlot
                {
                    Title = title,
                    Subtitle = subtitle,
                    Unit = field.Unit,
                    Setting = NameOf(axis),
                    IsDoubling = axis == SweepAxis.MicroBatch,
                    Curves =
                    [
                        .. shown.Select(source => new Curve(
                            source,
                            [.. points.Where(point => BarOf(source, point) is not null).Select(point => PointOf(point, BarOf(source, point)!.Value))],
                            source == SweepFigures.Peer)),
                    ],
                }
                : new BarPlot
                {
                    Title = title,
                    Subtitle = subtitle,
                    Unit = field.Unit,
                    Series = shown,
                    Groups = [.. points.Select(point => new BarGroup(NameOf(axis, point), [.. shown.Select(source => BarOf(source, point))]))],
                });
    }

    private static string IdOf(ModelEvidence model, string source, string axis, string point, string field) => $"{model.Name}/sweep/{source}/{axis}/{point}/{field}";

    private static CurvePoint PointOf(string setting, Bar bar) => new(double.Parse(setting, CultureInfo.InvariantCulture), bar.Value, bar.Least, bar.Most);

    private static double NumberOf(JsonNode? value) =>
        double.TryParse($"{value}", NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : double.PositiveInfinity;

    private static string NameOf(string axis) => axis switch
    {
        SweepAxis.ExpertLayers => "layers whose experts are on the CPU",
        SweepAxis.MicroBatch => "micro-batch, tokens",
        SweepAxis.Threads => "CPU threads",
        SweepAxis.Depth => "tokens in the context before",
        SweepAxis.HostMemory => "memory of the experts",
        _ => axis,
    };

    private static string NameOf(string axis, string point) => (axis, point) switch
    {
        (SweepAxis.HostMemory, "1") => "mapped",
        (SweepAxis.HostMemory, "0") => "read, pinned for a GPU",
        _ => point,
    };
}
