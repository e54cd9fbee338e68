using System.CommandLine;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence.Comparison;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence compare</c>, which shows the figures of two folders side by side.</summary>
internal sealed class EvidenceCompareCommand : ICliCommand
{
    private readonly Argument<string> _first = new("A") { Description = "The first folder of evidence" };
    private readonly Argument<string> _second = new("B") { Description = "The second folder of evidence" };
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public EvidenceCompareCommand() => Command = new Command("compare", "Show the figures of two folders side by side") { _first, _second, _json };

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        ComparedFigure[] figures =
            [.. EvidenceComparison.Of(EvidenceManifest.OpenFolder(invocation.Parsed.GetValue(_first)!), EvidenceManifest.OpenFolder(invocation.Parsed.GetValue(_second)!))];
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, Json.Array(figures.Select(figure => figure.ToJson())));
            return Task.FromResult(ExitCode.Success);
        }

        var table = new Columns("figure", ">A", ">B", ">B / A", "ranges");
        foreach (ComparedFigure figure in figures)
        {
            table.Add(
                figure.Id,
                Text(figure.Own, figure.OwnRange),
                Text(figure.Other, figure.OtherRange),
                figure.Ratio is { } ratio ? Units.Format(ratio, "0.000") : "-",
                figure.Overlap switch { true => "overlap", false => "apart", null => string.Empty });
        }

        table.WriteTo(invocation.Terminal.Out);
        return Task.FromResult(ExitCode.Success);
    }

    private static string Text(Figure? figure, (double Low, double High)? range) => figure is null ? "-"
        : range is var (low, high) ? $"{Units.Text(figure)} ({Units.Number(figure with { Value = low })} to {Units.Number(figure with { Value = high })})"
        : Units.Text(figure);
}
