using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;


namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Represents the figures of a folder, computed from its samples.</summary>
internal sealed class FigureSet
{
    private readonly List<Figure> _figures = [];
    private readonly Dictionary<string, Figure> _byId = new(StringComparer.Ordinal);

    private FigureSet()
    {
    }

    public IReadOnlyList<Figure> Figures => _figures;

    /// <summary>Computes all figures of raw evidence.</summary>
    /// <exception cref="FormatException">A figure cannot be computed. The message names it and the reason.</exception>
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

    /// <summary>Returns the figure with an id, or null if there is none.</summary>
    public Figure? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Adds a figure computed from lines of one file, if any of them has the field. A count has no unit.</summary>
    public void Add(string id, string unit, string statistic, string file, SampleSet samples, string field)
    {
        (SampleSet Samples, string Field) source = With((samples, field));
        if (source.Samples.Count > 0)
        {
            double value = Computed(file, id, () => FigureMath.Compute(statistic, source));
            Add(file, new Figure($"{id}/{statistic}", value, statistic == Statistic.Count ? Units.None : unit, statistic, Sources(file, source)));
        }
    }

    /// <summary>Adds several figures computed from the same lines.</summary>
    public void AddAll(string id, string unit, string[] statistics, string file, SampleSet samples, string field)
    {
        foreach (string statistic in statistics)
        {
            Add(id, unit, statistic, file, samples, field);
        }
    }

    /// <summary>Adds a figure computed from two lists of values of one file, unless one of them is empty.</summary>
    public void AddComparison(string id, string unit, string statistic, string file, (SampleSet Samples, string Field) first, (SampleSet Samples, string Field) second)
    {
        if (With(first) is { Samples.Count: > 0 } own && With(second) is { Samples.Count: > 0 } other)
        {
            Add(file, new Figure($"{id}/{statistic}", Computed(file, id, () => FigureMath.Compute(statistic, own, other)), unit, statistic, Sources(file, own, other)));
        }
    }

    /// <summary>
    /// Adds a comparison with the ends of its interval, unless one of the lists is empty. For single values, only the comparison is added.
    /// </summary>
    public void AddInterval(string id, string unit, string statistic, string file, (SampleSet Samples, string Field) first, (SampleSet Samples, string Field) second)
    {
        if (With(first) is not { Samples.Count: > 0 } own || With(second) is not { Samples.Count: > 0 } other)
        {
            return;
        }

        (double value, double? low, double? high) = Computed(file, id, () => FigureMath.Compare(statistic, own, other));
        FigureSource[] sources = Sources(file, own, other);
        Add(file, new Figure($"{id}/{statistic}", value, unit, statistic, sources));
        foreach ((string end, double? limit) in new[] { ("low", low), ("high", high) })
        {
            if (limit is { } known)
            {
                Add(file, new Figure($"{id}/{statistic}.{end}", known, unit, $"{statistic}.{end}", sources));
            }
        }
    }

    private static T Computed<T>(string file, string id, Func<T> compute)
    {
        try
        {
            return compute();
        }
        catch (FormatException error)
        {
            throw new FormatException($"{file}: the figure {id} cannot be computed: {error.Message}", error);
        }
    }

    private static FigureSource[] Sources(string file, params (SampleSet Samples, string Field)[] sources) =>
        [.. sources.Select(source => new FigureSource(file, source.Field, [.. source.Samples.Select(sample => sample.Line)]))];

    private static (SampleSet Samples, string Field) With((SampleSet Samples, string Field) source) =>
        (new SampleSet([.. source.Samples.Where(sample => sample.Fields[source.Field] is not null)]), source.Field);

    private void Add(string file, Figure figure)
    {
        if (!_byId.TryAdd(figure.Id, figure))
        {
            throw new FormatException($"{file}: two figures have the name {figure.Id}.");
        }

        _figures.Add(figure);
    }
}
