using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Plots;


namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Creates table cells and bars from figures.</summary>
/// <param name="figures">The figures.</param>
internal sealed class Cells(FigureSet figures)
{
    private const string Nothing = "–";

    /// <summary>Returns a cell with a figure without its unit, which is in the column header.</summary>
    public Cell Number(string id) => figures.Find(id) is { } figure ? new Cell(Units.Number(figure), id) : Nothing;

    /// <summary>Returns a cell with a median, and the smallest and largest repeat.</summary>
    public Cell Spread(string id) => figures.Find($"{id}/median") is { } median && figures.Find($"{id}/min") is { } least && figures.Find($"{id}/max") is { } most
        ? new Cell($"{Units.Number(median)} ({Units.Number(least)}–{Units.Number(most)})", median.Id)
        : Nothing;

    /// <summary>Returns a cell with an estimate and its 95 % confidence interval, if there is one.</summary>
    public Cell Interval(string id) => figures.Find(id) is not { } estimate ? Nothing
        : figures.Find($"{id}.low") is { } low && figures.Find($"{id}.high") is { } high ? new Cell($"{Units.Number(estimate)} [{Units.Number(low)}, {Units.Number(high)}]", id)
        : new Cell(Units.Number(estimate), id);

    /// <summary>Returns a bar for a median.</summary>
    public Bar? Bar(string id) => figures.Find($"{id}/median") is { } median && figures.Find($"{id}/min") is { } least && figures.Find($"{id}/max") is { } most
        ? new Bar(Units.Shown(median), Units.Shown(least), Units.Shown(most), Units.Number(median))
        : null;

    /// <summary>Returns whether a figure exists.</summary>
    public bool Has(string id) => figures.Find(id) is not null;

    /// <summary>Returns the value of a figure for display, or 0 if there is none.</summary>
    public double Shown(string id) => figures.Find(id) is { } figure ? Units.Shown(figure) : 0;
}
