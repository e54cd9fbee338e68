namespace MoeOffload.Measurement.Benches;

/// <summary>Computes measures of the logits of one position.</summary>
internal static class Logits
{
    /// <summary>Computes the log-probability of a token, in nats.</summary>
    public static double LogProbability(ReadOnlySpan<float> logits, int token) => logits[token] - LogSum(logits);

    /// <summary>Compares other logits with these.</summary>
    /// <returns>
    /// The Kullback-Leibler divergence of the others' distribution from this one in nats, the largest difference of two logits, and whether
    /// the same token is the likeliest.
    /// </returns>
    public static (double Divergence, double MaxDifference, bool SameTop) Compare(ReadOnlySpan<float> logits, ReadOnlySpan<float> others)
    {
        double own = LogSum(logits);
        double other = LogSum(others);
        double divergence = 0;
        double most = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            double log = logits[i] - own;
            double probability = Math.Exp(log);
            divergence += probability > 0 ? probability * (log - (others[i] - other)) : 0;
            most = Math.Max(most, Math.Abs((double)logits[i] - others[i]));
        }

        return (Math.Max(0, divergence), most, IndexOfMax(logits) == IndexOfMax(others));
    }

    private static double LogSum(ReadOnlySpan<float> logits)
    {
        double largest = logits[IndexOfMax(logits)];
        double sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum);
    }

    private static int IndexOfMax(ReadOnlySpan<float> values)
    {
        int index = 0;
        for (int i = 1; i < values.Length; i++)
        {
            index = values[i] > values[index] ? i : index;
        }

        return index;
    }
}
