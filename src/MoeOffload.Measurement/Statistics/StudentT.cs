namespace MoeOffload.Measurement.Statistics;

/// <summary>Computes Student's t-distribution with the series of Abramowitz and Stegun 26.7.3 and 26.7.4.</summary>
internal static class StudentT
{
    /// <summary>Computes a quantile of the distribution.</summary>
    /// <param name="share">The probability, from 0.5 to less than 1.</param>
    /// <param name="freedom">The degrees of freedom, at least 1. They are rounded down, which makes an interval wider.</param>
    public static double Quantile(double share, double freedom)
    {
        // With more degrees of freedom, the distribution equals the normal distribution to four digits.
        int degrees = (int)Math.Clamp(freedom, 1, 10_000);
        double low = 0;
        double high = 1000;
        while (high - low > 1e-9 * (1 + low))
        {
            double middle = (low + high) / 2;
            (low, high) = Cumulative(middle, degrees) < share ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    private static double Cumulative(double value, int degrees)
    {
        double angle = Math.Atan(value / Math.Sqrt(degrees));
        double cosine = Math.Cos(angle);
        bool isOdd = degrees % 2 == 1;
        double term = isOdd ? cosine : 1;
        double sum = degrees == 1 ? 0 : term;
        for (int k = isOdd ? 3 : 2; k <= degrees - 2; k += 2)
        {
            term *= cosine * cosine * (k - 1) / k;
            sum += term;
        }

        double both = isOdd ? 2 / Math.PI * (angle + (Math.Sin(angle) * sum)) : Math.Sin(angle) * sum;
        return 0.5 + (both / 2);
    }
}
