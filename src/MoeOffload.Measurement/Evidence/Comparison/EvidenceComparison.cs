using MoeOffload.Measurement.Evidence.Figures;


namespace MoeOffload.Measurement.Evidence.Comparison;

/// <summary>Compares the figures of two folders.</summary>
internal static class EvidenceComparison
{
    private static readonly string[] s_ends = ["/min", "/max", ".low", ".high"];

    /// <summary>Compares two folders. Figures that are the ends of other figures' ranges are included with those.</summary>
    /// <exception cref="FormatException">A folder is not valid.</exception>
    public static IEnumerable<ComparedFigure> Of(EvidenceFolder first, EvidenceFolder second)
    {
        FigureSet own = FigureSet.Of(first);
        FigureSet other = FigureSet.Of(second);
        return own.Figures.Concat(other.Figures.Where(figure => own.Find(figure.Id) is null))
            .Where(figure => !Array.Exists(s_ends, end => figure.Id.EndsWith(end, StringComparison.Ordinal)))
            .Select(figure => new ComparedFigure(own.Find(figure.Id), other.Find(figure.Id), RangeOf(own, figure.Id), RangeOf(other, figure.Id)));
    }

    private static (double Low, double High)? RangeOf(FigureSet figures, string id)
    {
        string list = id[..(id.LastIndexOf('/') + 1)];
        return (figures.Find($"{id}.low"), figures.Find($"{id}.high")) is ({ } low, { } high) ? (low.Value, high.Value)
            : id.EndsWith("/median", StringComparison.Ordinal) && (figures.Find($"{list}min"), figures.Find($"{list}max")) is ({ } least, { } most) ? (least.Value, most.Value)
            : null;
    }
}
