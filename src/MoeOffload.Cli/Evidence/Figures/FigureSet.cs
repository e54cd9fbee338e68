using MoeOffload.Cli.Measurement;

namespace MoeOffload.Cli.Evidence.Figures;

/// <summary>The figures of a folder, each computed from its lines.</summary>
internal sealed class FigureSet
{
    private readonly List<Figure> _figures = [];
    private readonly Dictionary<string, Figure> _byId = new(StringComparer.Ordinal);

    private FigureSet()
    {
    }

    public IReadOnlyList<Figure> Figures => _figures;

    /// <summary>Computes all figures of raw evidence.</summary>
    /// <exception cref="FormatException">One cannot be computed; the message says which, and why.</exception>
    public static FigureSet Of(EvidenceFolder folder)
    {
        var figures = new FigureSet();
        foreach (ModelEvidence model in folder.Models)
        {
            StreamingFigures.Add(figures, model);
            MemoryFigures.Add(figures, model);
            QualityFigures.Add(figures, model);
            SweepFigures.Add(figures, model);
        }

        return figures;
    }

    /// <summary>A figure by its id; null where there is none.</summary>
    public Figure? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Adds a figure of lines of one file, unless there are none that have the field.</summary>
    public void Add(string id, string unit, string statistic, string file, SampleSet samples, string field)
    {
        SampleSet with = With(samples, field);
        if (with.Count > 0)
        {
            Add($"{id}/{statistic}", unit, statistic, file, (with, field));
        }
    }

    /// <summary>Adds several figures of the same lines.</summary>
    public void AddAll(string id, string unit, string[] statistics, string file, SampleSet samples, string field)
    {
        foreach (string statistic in statistics)
        {
            Add(id, unit, statistic, file, samples, field);
        }
    }

    /// <summary>Adds figures that compare lines of one file with others of it, unless one of them has none.</summary>
    public void AddComparison(string id, string unit, string[] statistics, string file, (SampleSet Samples, string Field) first, (SampleSet Samples, string Field) second)
    {
        (SampleSet Samples, string Field) own = (With(first.Samples, first.Field), first.Field);
        (SampleSet Samples, string Field) other = (With(second.Samples, second.Field), second.Field);
        foreach (string statistic in own.Samples.Count > 0 && other.Samples.Count > 0 ? statistics : [])
        {
            Add($"{id}/{statistic}", unit, statistic, file, own, other);
        }
    }

    /// <summary>The statistics of an interval.</summary>
    public static string[] WithEnds(string statistic) => [statistic, $"{statistic}.low", $"{statistic}.high"];

    private void Add(string id, string unit, string statistic, string file, params (SampleSet Samples, string Field)[] sources)
    {
        try
        {
            var figure = new Figure(
                id,
                FigureMath.Compute(statistic, sources),
                unit,
                statistic,
                [.. sources.Select(source => new FigureSource(file, source.Field, [.. source.Samples.Select(sample => sample.Line)]))]);
            if (!_byId.TryAdd(id, figure))
            {
                throw new FormatException("there are two of that name.");
            }

            _figures.Add(figure);
        }
        catch (FormatException error)
        {
            throw new FormatException($"{file}: the figure {id} cannot be computed: {error.Message}", error);
        }
    }

    private static SampleSet With(SampleSet samples, string field) => new([.. samples.Where(sample => sample.Fields[field] is not null)]);
}
