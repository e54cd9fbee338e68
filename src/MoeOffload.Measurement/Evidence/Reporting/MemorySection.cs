using System.Text.Json.Nodes;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Plots;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates the section about the memory of each device, with and without offloading.</summary>
internal static class MemorySection
{
    private const string Allocator = "allocator";
    private static readonly string[] s_kinds = ["model", "kv", "compute"];
    private static readonly string[] s_kindNames = ["weights", "KV cache", "compute"];
    private static readonly string[] s_placements = [BenchPlacement.Cpu, BenchPlacement.Device, BenchPlacement.Offload];

    public static IEnumerable<Block> Of(ModelEvidence model, FigureSet figures)
    {
        SampleSet samples = model.Samples("memory");
        if (samples.Count == 0)
        {
            yield break;
        }

        var cells = new Cells(figures);
        yield return new HeadingBlock(3, "Memory");
        yield return new ParagraphBlock(
            "What llama.cpp's allocator gave to weights, KV cache and compute buffers on each device, and what the operating system or the driver saw of it. Compute buffers hold the staging copies of offloaded experts too.");
        SampleSet allocated = samples.Where(new JsonObject { ["source"] = Allocator });
        foreach ((JsonNode? moment, SampleSet ofMoment) in allocated.By("moment"))
        {
            string[] devices = DevicesOf(ofMoment);
            yield return Table(model, cells, $"{moment}", devices);
            if (moment?.ToString() == "loaded")
            {
                yield return Plot(model, cells, $"{moment}", devices);
            }
        }

        SampleSet seen = new([.. samples.Where(sample => sample.Fields.Text("source") != Allocator)]);
        if (seen.Count > 0)
        {
            yield return Seen(model, cells, seen);
        }
    }

    private static TableBlock Table(ModelEvidence model, Cells cells, string moment, string[] devices)
    {
        string Id(string placement, string device) => $"{model.Name}/memory/{placement}/{moment}/{Allocator}/{device}";
        var rows = new List<IReadOnlyList<Cell>>();
        foreach (string device in devices)
        {
            rows.AddRange(s_placements.Where(placement => cells.Has($"{Id(placement, device)}/total/{FigureMath.SumPerRound}")).Select(placement => (IReadOnlyList<Cell>)
            [
                device,
                PlacementName.Of(placement),
                .. s_kinds.Select(kind => cells.Number($"{Id(placement, device)}/{kind}/{FigureMath.SumPerRound}")),
                cells.Number($"{Id(placement, device)}/total/{FigureMath.SumPerRound}"),
            ]));
        }

        string cut = $"{model.Name}/memory/offload_against_device/{moment}/{Allocator}/{MemoryFigures.Devices}/{FigureMath.Cut}";
        if (cells.Has(cut))
        {
            Cell share = cells.Number(cut);
            rows.Add(["devices", "cut by offload", string.Empty, string.Empty, string.Empty, new Cell($"{share.Text} %", share.Figure)]);
        }

        return new TableBlock(
            moment == "loaded" ? $"{model.Name}/memory" : $"{model.Name}/memory-{moment}",
            Conditions.Caption(model, $"MiB by the allocator, {moment}"),
            ["memory of", "placement", ">weights", ">KV cache", ">compute", ">total"],
            rows);
    }

    private static PlotBlock Plot(ModelEvidence model, Cells cells, string moment, string[] devices) => new(
        $"{model.Name}/memory",
        new StackedBarPlot
        {
            Title = $"{model.Name}: memory of each device",
            Subtitle = $"by the allocator, {moment} · {Conditions.Of(model)}",
            Unit = "MiB",
            Parts = s_kindNames,
            Bars =
            [
                .. devices.SelectMany(device => s_placements.Select(placement => (device, placement, Id: $"{model.Name}/memory/{placement}/{moment}/{Allocator}/{device}")))
                    .Where(bar => cells.Has($"{bar.Id}/total/{FigureMath.SumPerRound}"))
                    .Select(bar => new StackedBar(
                        $"{bar.device}, {PlacementName.Of(bar.placement)}",
                        [.. s_kinds.Select(kind => cells.Shown($"{bar.Id}/{kind}/{FigureMath.SumPerRound}"))],
                        cells.Number($"{bar.Id}/total/{FigureMath.SumPerRound}").Text)),
            ],
        });

    private static TableBlock Seen(ModelEvidence model, Cells cells, SampleSet seen)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        string[] moments = [.. seen.By("moment").Select(moment => $"{moment.Value}")];
        foreach (((string source, string owner, string kind), string placement) in seen
            .Select(sample => ((sample.Fields.Text("source"), MemoryFigures.OwnerOf(sample), sample.Fields.Text("kind")), sample.Fields.Text("placement"))).Distinct())
        {
            rows.Add(
            [
                source, owner, kind, PlacementName.Of(placement),
                .. moments.Select(moment => cells.Number($"{model.Name}/memory/{placement}/{moment}/{source}/{owner}/{kind}/{FigureMath.SumPerRound}")),
            ]);
        }

        return new TableBlock(
            $"{model.Name}/memory-seen",
            Conditions.Caption(model, "MiB by the operating system or the driver"),
            ["says", "of", "what", "placement", .. moments.Select(moment => $">{moment}")],
            rows);
    }

    private static string[] DevicesOf(SampleSet samples) =>
        [.. samples.By("device").Select(device => $"{device.Value}").OrderBy(device => device == "CPU").ThenBy(device => device, StringComparer.Ordinal)];
}
