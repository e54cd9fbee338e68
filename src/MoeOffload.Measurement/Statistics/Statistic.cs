namespace MoeOffload.Measurement.Statistics;

/// <summary>Computes statistics by name. A figure refers to its statistic by this name.</summary>
/// <remarks>
/// <c>count</c>, <c>sum</c>, <c>mean</c>, <c>min</c>, <c>max</c>, <c>median</c>, <c>p95</c> and <c>p99</c> are computed from one array.
/// <c>difference_of_means</c>, <c>difference_of_medians</c> and <c>ratio_of_medians</c> compare two arrays: the first minus the second, or
/// divided by it. The ends of their 95 % confidence intervals have the same name with the suffix <c>.low</c> or <c>.high</c>.
/// <c>perplexity</c> is computed from sums of negative log-likelihoods (in nats) and the number of tokens in each sum.
/// </remarks>
internal static class Statistic
{
    /// <summary>The name of the statistic that counts the numbers. It is the only one that does not have their unit.</summary>
    public const string Count = "count";

    private static readonly Dictionary<string, Func<double[], double>> s_ofOne = new(StringComparer.Ordinal)
    {
        [Count] = values => values.Length,
        ["sum"] = values => values.Sum(),
        ["mean"] = Mean,
        ["min"] = values => values.Min(),
        ["max"] = values => values.Max(),
        ["median"] = Median,
        ["p95"] = values => Quantile(values, 0.95),
        ["p99"] = values => Quantile(values, 0.99),
    };

    private static readonly Dictionary<string, Func<double[], double[], Interval>> s_ofTwo = new(StringComparer.Ordinal)
    {
        ["difference_of_means"] = DifferenceOfMeans,
        ["difference_of_medians"] = DifferenceOfMedians,
        ["ratio_of_medians"] = RatioOfMedians,
        ["perplexity"] = Perplexity,
    };

    /// <summary>Gets the names of all statistics.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. s_ofOne.Keys, .. s_ofTwo.Keys.SelectMany(name => new[] { name, $"{name}.low", $"{name}.high" })];

    /// <summary>Returns whether a statistic compares two arrays.</summary>
    public static bool IsOfTwo(string name) => s_ofTwo.ContainsKey(name.Split('.')[0]);

    /// <summary>Computes a statistic by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="others">The numbers to compare with, for a statistic of two arrays.</param>
    /// <exception cref="ArgumentException">The name is not valid, or there are no numbers.</exception>
    public static double Compute(string name, double[] values, double[]? others = null)
    {
        string[] parts = name.Split('.');
        if (parts.Length == 1 && s_ofOne.TryGetValue(name, out Func<double[], double>? ofOne))
        {
            return ofOne(NotEmpty(values));
        }

        if (!Names.Contains(name))
        {
            throw new ArgumentException($"'{name}' is not a valid statistic: use one of {string.Join(", ", Names)}.", nameof(name));
        }

        Interval interval = Compare(parts[0], values, others ?? []);
        return parts.Length == 1 ? interval.Estimate : parts[1] == "low" ? interval.Low : interval.High;
    }

    /// <summary>Computes a statistic of two arrays and both ends of its interval in one pass.</summary>
    /// <inheritdoc cref="Compute"/>
    public static Interval Compare(string name, double[] values, double[] others) => s_ofTwo.TryGetValue(name, out Func<double[], double[], Interval>? ofTwo)
        ? ofTwo(NotEmpty(values), NotEmpty(others))
        : throw new ArgumentException($"'{name}' is not a statistic of two lists.", nameof(name));

    public static double Mean(double[] values) => NotEmpty(values).Average();

    public static double Median(double[] values) => Quantile(values, 0.5);

    /// <summary>Computes a quantile with linear interpolation: type 7 of Hyndman and Fan 1996, the default in R and NumPy.</summary>
    /// <param name="values">The numbers, in any order.</param>
    /// <param name="share">The probability, from 0 (the smallest number) to 1 (the largest number).</param>
    public static double Quantile(double[] values, double share)
    {
        double[] sorted = [.. NotEmpty(values)];
        Array.Sort(sorted);
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below == sorted.Length - 1 ? sorted[below] : sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below]));
    }

    /// <summary>
    /// Computes the difference of the means with Welch's confidence interval (Welch 1947), which has no ends if both arrays have one number.
    /// </summary>
    public static Interval DifferenceOfMeans(double[] values, double[] others)
    {
        double difference = Mean(values) - Mean(others);
        double own = Variance(values) / values.Length;
        double other = Variance(others) / others.Length;
        if (values.Length < 2 || others.Length < 2)
        {
            return new Interval(difference, double.NaN, double.NaN);
        }

        // If all numbers are equal, the interval is a single point.
        double square = (own + other) * (own + other);
        double freedom = (own * own / (values.Length - 1)) + (other * other / (others.Length - 1));
        double reach = square == 0 ? 0 : StudentT.Quantile(0.975, square / freedom) * Math.Sqrt(own + other);
        return new Interval(difference, difference - reach, difference + reach);
    }

    /// <summary>Computes the difference of the medians with a bootstrap confidence interval.</summary>
    public static Interval DifferenceOfMedians(double[] values, double[] others) =>
        Bootstrap.Compare(NotEmpty(values), NotEmpty(others), (own, other) => Median(own) - Median(other));

    /// <summary>Computes the ratio of the medians with a bootstrap confidence interval.</summary>
    public static Interval RatioOfMedians(double[] values, double[] others) =>
        Bootstrap.Compare(NotEmpty(values), NotEmpty(others), (own, other) => Median(own) / Median(other));

    /// <summary>
    /// Computes the perplexity of a text, <c>exp(sum of negative log-likelihoods / tokens)</c>, with a confidence interval that assumes a normal
    /// distribution of the windows' means.
    /// </summary>
    /// <param name="negativeLogLikelihoods">The sum of the negative log-likelihoods of each window's tokens, in nats.</param>
    /// <param name="tokens">The number of tokens in each window.</param>
    public static Interval Perplexity(double[] negativeLogLikelihoods, double[] tokens)
    {
        const double TwoSided = 1.959964;
        double mean = negativeLogLikelihoods.Sum() / tokens.Sum();
        double error = negativeLogLikelihoods.Length < 2
            ? double.NaN
            : Math.Sqrt(Variance([.. negativeLogLikelihoods.Zip(tokens, (sum, count) => sum / count)]) / negativeLogLikelihoods.Length);
        return new Interval(Math.Exp(mean), Math.Exp(mean - (TwoSided * error)), Math.Exp(mean + (TwoSided * error)));
    }

    private static double Variance(double[] values)
    {
        double mean = Mean(values);
        return values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
    }

    private static double[] NotEmpty(double[] values) => values.Length > 0 ? values : throw new ArgumentException("There are no numbers.", nameof(values));
}
