namespace MoeOffload.Benchmarks;

/// <summary>Computes and prints statistics of measured values.</summary>
internal static class Samples
{
    // llama.cpp's threads wait without sleeping for a fifth of a second after the last graph.
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(400);

    /// <summary>Waits until the threads of the previous measurement are idle.</summary>
    public static void WaitForQuiet() => Thread.Sleep(s_quiet);

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Returns the rate over several repetitions of the same work, from the rate of each.</summary>
    public static double Rate(IReadOnlyCollection<double> rates) => rates.Count / rates.Sum(rate => 1 / rate);

    /// <summary>Prints a line with the ratio of the pairs and the medians of both sides.</summary>
    public static void Print(string what, string unit, IReadOnlyList<double> ours, IReadOnlyList<double> peers, string peer = "llama.cpp")
    {
        double[] ratios = [.. ours.Zip(peers, (our, peer) => our / peer)];
        Console.WriteLine(
            $"  {what,-28} ratio {Median(ratios):0.000} [{ratios.Min():0.000}, {ratios.Max():0.000}]   ours {Median(ours):0.0} {unit}, {peer} {Median(peers):0.0} {unit}");
    }
}
