using System.Globalization;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Computes figures from the lines that they name.</summary>
/// <remarks>
/// Beside those of <see cref="Statistic"/> there are <c>sum_per_round</c>, the median over the rounds of a round's sum;
/// <c>cut</c>, by how many percent the first's <c>sum_per_round</c> is below the second's; <c>share</c>, the sum of the first in percent of
/// the sum of the second; and <c>true_share</c>, in how many percent of the lines a field is true.
/// </remarks>
internal static class FigureMath
{
    public const string SumPerRound = "sum_per_round";
    public const string Cut = "cut";
    public const string Share = "share";
    public const string TrueShare = "true_share";

    /// <summary>Computes a figure.</summary>
    /// <param name="statistic">How.</param>
    /// <param name="sources">The lines, each with the field that counts.</param>
    /// <returns>The number, to 12 digits, so that a last digit that processors disagree about is no difference.</returns>
    /// <exception cref="FormatException">It cannot be computed: an unknown statistic, missing values, values that are no numbers.</exception>
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

    /// <summary>Computes a comparison with the ends of its interval, which there are none of where nothing is said of the spread.</summary>
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
