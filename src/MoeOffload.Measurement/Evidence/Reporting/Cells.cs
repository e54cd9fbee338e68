using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Plots;


namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Figures as cells of tables and bars of plots.</summary>
/// <param name="figures">The figures.</param>
internal sealed class Cells(FigureSet figures)
{
    private const string Nothing = "–";

    /// <summary>A figure, its unit left to the column.</summary>
    public Cell Number(string id) => figures.Find(id) is { } figure ? new Cell(Units.Number(figure), id) : Nothing;

    /// <summary>A median, with the least and the largest repeat.</summary>
    public Cell Spread(string id) => figures.Find($"{id}/median") is { } median && figures.Find($"{id}/min") is { } least && figures.Find($"{id}/max") is { } most
        ? new Cell($"{Units.Number(median)} ({Units.Number(least)}–{Units.Number(most)})", median.Id)
        : Nothing;

    /// <summary>An estimate, with its 95 % confidence interval where it has one.</summary>
    public Cell Interval(string id) => figures.Find(id) is not { } estimate ? Nothing
        : figures.Find($"{id}.low") is { } low && figures.Find($"{id}.high") is { } high ? new Cell($"{Units.Number(estimate)} [{Units.Number(low)}, {Units.Number(high)}]", id)
        : new Cell(Units.Number(estimate), id);

    /// <summary>A median as a bar.</summary>
    public Bar? Bar(string id) => figures.Find($"{id}/median") is { } median && figures.Find($"{id}/min") is { } least && figures.Find($"{id}/max") is { } most
        ? new Bar(Units.Shown(median), Units.Shown(least), Units.Shown(most), Units.Number(median))
        : null;

    /// <summary>Whether there is a figure.</summary>
    public bool Has(string id) => figures.Find(id) is not null;

    /// <summary>A figure as it is shown; 0 where there is none.</summary>
    public double Shown(string id) => figures.Find(id) is { } figure ? Units.Shown(figure) : 0;
}
