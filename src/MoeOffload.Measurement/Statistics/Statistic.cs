namespace MoeOffload.Measurement.Statistics;

/// <summary>What can be said of numbers: each statistic has a name, by which a figure says how it follows from its samples.</summary>
/// <remarks>
/// <c>count</c>, <c>sum</c>, <c>mean</c>, <c>min</c>, <c>max</c>, <c>median</c>, <c>p95</c>, <c>p99</c> are of one array.
/// <c>difference_of_means</c>, <c>difference_of_medians</c>, <c>ratio_of_medians</c> are of two, the first less or over the second, and
/// give the ends of their 95 % confidence interval under the same name with <c>.low</c> and <c>.high</c>. <c>perplexity</c> is of negative
/// log-likelihoods (in nats) and the counts of the tokens that they are sums of.
/// </remarks>
internal static class Statistic
{
    /// <summary>How many numbers there are; the one statistic that is not in their unit.</summary>
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

    /// <summary>The names of all statistics.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. s_ofOne.Keys, .. s_ofTwo.Keys.SelectMany(name => new[] { name, $"{name}.low", $"{name}.high" })];

    /// <summary>Whether a statistic compares two arrays.</summary>
    public static bool IsOfTwo(string name) => s_ofTwo.ContainsKey(name.Split('.')[0]);

    /// <summary>Computes a statistic by its name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="others">Those that they are compared with, for a statistic of two arrays.</param>
    /// <exception cref="ArgumentException">There is no such statistic, or it has no numbers to be computed of.</exception>
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

    /// <summary>Computes a statistic of two arrays with its interval, at the cost of one of the three.</summary>
    /// <inheritdoc cref="Compute"/>
    public static Interval Compare(string name, double[] values, double[] others) => s_ofTwo.TryGetValue(name, out Func<double[], double[], Interval>? ofTwo)
        ? ofTwo(NotEmpty(values), NotEmpty(others))
        : throw new ArgumentException($"'{name}' is not a statistic of two lists.", nameof(name));

    public static double Mean(double[] values) => NotEmpty(values).Average();

    public static double Median(double[] values) => Quantile(values, 0.5);

    /// <summary>A quantile, between the two numbers beside it by their distance: type 7 of Hyndman and Fan 1996, that of R and NumPy.</summary>
    /// <param name="values">Numbers in any order.</param>
    /// <param name="share">From 0, the least, to 1, the largest.</param>
    public static double Quantile(double[] values, double share)
    {
        double[] sorted = [.. NotEmpty(values)];
        Array.Sort(sorted);
        double place = share * (sorted.Length - 1);
        int below = (int)place;
        return below == sorted.Length - 1 ? sorted[below] : sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below]));
    }

    /// <summary>How much more the first have in the mean than the second, with Welch's interval (Welch 1947); without ends of one number each.</summary>
    public static Interval DifferenceOfMeans(double[] values, double[] others)
    {
        double difference = Mean(values) - Mean(others);
        double own = Variance(values) / values.Length;
        double other = Variance(others) / others.Length;
        if (values.Length < 2 || others.Length < 2)
        {
            return new Interval(difference, double.NaN, double.NaN);
        }

        // Of numbers that are all the same nothing is in doubt.
        double square = (own + other) * (own + other);
        double freedom = (own * own / (values.Length - 1)) + (other * other / (others.Length - 1));
        double reach = square == 0 ? 0 : StudentT.Quantile(0.975, square / freedom) * Math.Sqrt(own + other);
        return new Interval(difference, difference - reach, difference + reach);
    }

    /// <summary>How much more the first have in the median than the second, with the bootstrap's interval.</summary>
    public static Interval DifferenceOfMedians(double[] values, double[] others) =>
        Bootstrap.Compare(NotEmpty(values), NotEmpty(others), (own, other) => Median(own) - Median(other));

    /// <summary>How many times as much the first have in the median as the second, with the bootstrap's interval.</summary>
    public static Interval RatioOfMedians(double[] values, double[] others) =>
        Bootstrap.Compare(NotEmpty(values), NotEmpty(others), (own, other) => Median(own) / Median(other));

    /// <summary>
    /// The perplexity of a text, <c>exp(sum of negative log-likelihoods / tokens)</c>, with the interval that a normal distribution of
    /// the windows' means gives.
    /// </summary>
    /// <param name="negativeLogLikelihoods">In nats, of each window's tokens together.</param>
    /// <param name="tokens">How many tokens each window has.</param>
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
