namespace MoeOffload.Measurement.Statistics;

/// <summary>
/// Computes confidence intervals with the percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and
/// 13): both samples are resampled with replacement many times, and the interval covers the middle 95 % of the results. The seed is fixed, so
/// the same numbers give the same interval.
/// </summary>
internal static class Bootstrap
{
    private const int Draws = 10_000;
    private const ulong Seed = 42;

    /// <summary>Compares two samples.</summary>
    /// <returns>The comparison and its interval, which has no ends if one of the samples is a single number.</returns>
    public static Interval Compare(double[] values, double[] others, Func<double[], double[], double> compare)
    {
        if (values.Length < 2 || others.Length < 2)
        {
            return new Interval(compare(values, others), double.NaN, double.NaN);
        }

        ulong state = Seed;
        double[] own = new double[values.Length];
        double[] other = new double[others.Length];
        double[] results = new double[Draws];
        for (int draw = 0; draw < Draws; draw++)
        {
            Fill(own, values, ref state);
            Fill(other, others, ref state);
            results[draw] = compare(own, other);
        }

        return new Interval(compare(values, others), Statistic.Quantile(results, 0.025), Statistic.Quantile(results, 0.975));
    }

    private static void Fill(double[] target, double[] source, ref ulong state)
    {
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = source[(int)Math.BigMul(Next(ref state), (ulong)source.Length, out _)];
        }
    }

    // SplitMix64 (Steele, Lea and Flood 2014). Unlike System.Random, it is easy to reimplement in any language.
    private static ulong Next(ref ulong state)
    {
        ulong value = state += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
