using System.Globalization;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Checks that the figures of the manifest match the raw lines, and that no figure is missing or unexpected.</summary>
internal static class FigureCheck
{
    public static IEnumerable<Problem> Find(EvidenceFiles files, EvidenceManifest manifest, FigureSet expected)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var samples = new Dictionary<string, SampleSet>(StringComparer.Ordinal);
        foreach (Figure figure in manifest.Figures)
        {
            if (!seen.Add(figure.Id))
            {
                yield return new Problem(figure.Id, "the figure occurs twice in the manifest.");
            }
            else if (expected.Find(figure.Id) is not { } right)
            {
                yield return new Problem(figure.Id, "the manifest contains this figure, but no raw lines lead to it.");
            }
            else if (figure.Origin != right.Origin || figure.Unit != right.Unit)
            {
                yield return new Problem(
                    figure.Id, $"the manifest computes it as the {Shorten(figure.Origin)}, but it must be the {Shorten(right.Origin)}{Recompute(files, samples, figure)}.");
            }
            else if (!figure.Value.Equals(right.Value))
            {
                yield return new Problem(figure.Id, string.Create(
                    CultureInfo.InvariantCulture, $"the manifest has {figure.Value} {figure.Unit}, but {Place(figure)} give {right.Value} {right.Unit}."));
            }
        }

        foreach (Figure figure in expected.Figures.Where(figure => !seen.Contains(figure.Id)))
        {
            yield return new Problem(figure.Id, "this figure follows from the raw lines, but the manifest does not contain it.");
        }
    }

    // If a figure is computed from the wrong lines, it helps to know whether it at least matches those lines.
    private static string Recompute(EvidenceFiles files, Dictionary<string, SampleSet> samples, Figure figure)
    {
        try
        {
            double value = FigureMath.Compute(figure.Statistic, [.. figure.Sources.Select(source => (Lines(files, samples, source), source.Field))]);
            return value.Equals(figure.Value) ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"; nor do its own lines give {figure.Value}, but {value}");
        }
        catch (FormatException error)
        {
            return $"; nor can it be computed from its own lines: {error.Message}";
        }
    }

    private static SampleSet Lines(EvidenceFiles files, Dictionary<string, SampleSet> samples, FigureSource source)
    {
        if (!samples.TryGetValue(source.File, out SampleSet? all))
        {
            samples[source.File] = all = files.ReadSamples(source.File);
        }

        return new SampleSet([.. source.Lines.Select(line => line >= 1 && line <= all.Count ? all[line - 1] : throw new FormatException($"{source.File} has no line {line}"))]);
    }

    private static string Place(Figure figure) => string.Join(" and ", figure.Sources.Select(source => $"{source.Field} in {source.File}:{Shorten(string.Join(',', source.Lines))}").Distinct());

    private static string Shorten(string text) => text.Length <= 160 ? text : text[..160] + "…";
}
