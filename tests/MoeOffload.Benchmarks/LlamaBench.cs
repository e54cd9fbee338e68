using System.Text.Json;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures with llama.cpp's own <c>llama-bench</c>.</summary>
internal static class LlamaBench
{
    /// <summary>Measures the same prompt several times, or decoding.</summary>
    /// <returns>The tokens/s of each repetition.</returns>
    /// <exception cref="InvalidOperationException">The tool failed.</exception>
    /// <param name="path">The model.</param>
    /// <param name="promptTokens">The number of tokens in the prompt, or 0 to decode.</param>
    /// <param name="decodeTokens">The number of tokens to generate, or 0 to process a prompt.</param>
    /// <param name="repeats">The number of repetitions.</param>
    /// <param name="threads">The number of threads.</param>
    /// <param name="tool">Another build of the tool, or null for the one with our libraries.</param>
    public static double[] Measure(string path, int promptTokens, int decodeTokens, int repeats, int threads, string? tool = null)
    {
        PeerResult result = Peer.RunFile(
            tool ?? NativeBuild.Tool("llama-bench"), "-m", path, "-p", $"{promptTokens}", "-n", $"{decodeTokens}", "-r", $"{repeats}", "-t", $"{threads}",
            "-b", "2048", "-ub", "512", "-o", "json");
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"llama-bench failed with exit code {result.ExitCode}: {result.Errors}");
        }

        using JsonDocument document = JsonDocument.Parse(result.Output);
        return [.. document.RootElement.EnumerateArray().Single().GetProperty("samples_ts").EnumerateArray().Select(sample => sample.GetDouble())];
    }
}
