using System.Globalization;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes figures from their lines.</summary>
/// <remarks>
/// In addition to those of <see cref="Statistic"/>, these statistics are supported: <c>sum_per_round</c> is the median of the sums of each
/// round; <c>cut</c> is the percentage by which the first <c>sum_per_round</c> is below the second; <c>share</c> is the sum of the first list
/// as a percentage of the sum of the second; <c>true_share</c> is the percentage of lines in which a field is true.
/// </remarks>
internal static class FigureMath
{
    public const string SumPerRound = "sum_per_round";
    public const string Cut = "cut";
    public const string Share = "share";
    public const string TrueShare = "true_share";

    /// <summary>Computes a figure.</summary>
    /// <param name="statistic">The name of the statistic.</param>
    /// <param name="sources">The lines and the field to evaluate.</param>
    /// <returns>The number, rounded to 12 digits, because the last digits can differ between processors.</returns>
    /// <exception cref="FormatException">The statistic is unknown, or values are missing or not numbers.</exception>
    public static double Compute(string statistic, params IReadOnlyList<(SampleSet Samples, string Field)> sources)
    {
        try
        {
            double value = (statistic, sources) switch
            {
                (SumPerRound, [var only]) => OfRounds(only),
                (Cut, [var less, var more]) => 100 * (1 - (OfRounds(less) / OfRounds(more))),
                (Share, [var part, var whole]) => 100 * Values(part).Sum() / Values(whole).Sum(),
                (TrueShare, [var only]) => 100 * Statistic.Mean(Values(only)),
                (_, [var only]) => Statistic.Compute(statistic, Values(only)),
                (_, [var first, var second]) => Statistic.Compute(statistic, Values(first), Values(second)),
                _ => throw new FormatException($"'{statistic}' is computed from one or two lists of values, not from {sources.Count}."),
            };
            return Round(statistic, value);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new FormatException(error.Message, error);
        }
    }

    /// <summary>Computes a comparison with the ends of its interval, which are omitted if the spread is unknown.</summary>
    /// <inheritdoc cref="Compute"/>
    public static (double Value, double? Low, double? High) Compare(string statistic, (SampleSet Samples, string Field) first, (SampleSet Samples, string Field) second)
    {
        try
        {
            Interval interval = Statistic.Compare(statistic, Values(first), Values(second));
            return (Round(statistic, interval.Estimate), End(interval.Low), End(interval.High));
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new FormatException(error.Message, error);
        }

        double? End(double value) => double.IsNaN(value) ? null : Round(statistic, value);
    }

    private static double OfRounds((SampleSet Samples, string Field) source) =>
        Statistic.Median([.. source.Samples.By("round").Select(round => Values((round.Samples, source.Field)).Sum())]);

    private static double[] Values((SampleSet Samples, string Field) source) => source.Samples.Numbers(source.Field);

    private static double Round(string statistic, double value) => double.IsFinite(value)
        ? double.Parse(value.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
        : throw new FormatException($"'{statistic}' does not result in a number.");
}
