using System.Text.Json;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures with llama.cpp's own <c>llama-bench</c>.</summary>
internal static class LlamaBench
{
    /// <summary>Measures a prompt and decoding.</summary>
    /// <returns>The medians of both, in tokens/s.</returns>
    /// <exception cref="InvalidOperationException">The tool failed.</exception>
    public static (double Prompt, double Decode) Measure(string path, int promptTokens, int decodeTokens, int repeats, int threads)
    {
        PeerResult result = Peer.Run(
            "llama-bench", "-m", path, "-p", $"{promptTokens}", "-n", $"{decodeTokens}", "-r", $"{repeats}", "-t", $"{threads}",
            "-b", "2048", "-ub", "512", "-o", "json");
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"llama-bench failed with exit code {result.ExitCode}: {result.Errors}");
        }

        using JsonDocument document = JsonDocument.Parse(result.Output);
        ILookup<bool, double> medians = document.RootElement.EnumerateArray().ToLookup(
            test => test.GetProperty("n_gen").GetInt32() > 0,
            test => Samples.Median(test.GetProperty("samples_ts").EnumerateArray().Select(sample => sample.GetDouble())));
        return (medians[false].Single(), medians[true].Single());
    }
}
