using System.Globalization;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures with LLamaSharp and its own native libraries, in a process of its own, if that program is built.</summary>
internal static class LlamaSharp
{
    private static readonly string s_program = Path.Combine(
        NativeBuild.Repository, "tests", "MoeOffload.Peers.LLamaSharp", "bin", "Release", "net10.0", "MoeOffload.Peers.LLamaSharp.dll");

    public static bool IsBuilt => File.Exists(s_program);

    /// <summary>Measures the same prompt several times, or decoding if there is a number of tokens to generate. Returns the tokens/s of each repetition.</summary>
    public static double[] MeasureRates(string path, int promptTokens, int decodeTokens, int repeats, int threads) =>
        Run("rates", path, $"{promptTokens}", $"{decodeTokens}", $"{repeats}", $"{threads}");

    /// <summary>Loads a model several times and generates a token each time. Returns the times in milliseconds.</summary>
    public static double[] MeasureFirstToken(string path, int context, string prompt, int loads) =>
        Run("first-token", path, $"{context}", prompt, $"{loads}");

    private static double[] Run(params IReadOnlyList<string> arguments)
    {
        PeerResult result = Peer.RunFile("dotnet", [s_program, .. arguments]);
        return result.ExitCode == 0
            ? [.. result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"LLamaSharp failed with exit code {result.ExitCode}: {result.Errors}");
    }
}
