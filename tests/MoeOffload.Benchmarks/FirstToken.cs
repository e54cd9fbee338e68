using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>
/// Measures the time from the call that loads a model to its first token, against the load and prompt times that <c>llama-completion</c> reports for the
/// same file and prompt, added up. The tool restarts its clock after the load, so what it calls the load time is mostly the prompt again.
/// </summary>
internal static partial class FirstToken
{
    private const int Context = 512;

    // The runtime compiles in the background during the first ones.
    private const int Loads = 16;
    private const int WarmLoads = 8;
    private const string Prompt = "Once upon a time there was a model with many experts, and each of them knew one thing.";

    /// <summary>Measures and prints.</summary>
    public static FirstTokenTimes Run(string path, int pairs)
    {
        List<double> first = [];
        List<double> warm = [];
        List<double> peers = [];
        List<double> sharpFirst = [];
        List<double> sharpWarm = [];
        for (int pair = 0; pair < pairs + 1; pair++)
        {
            double peer = MeasurePeer(path);
            (double cold, double later) = MeasureOurs(path);
            double[] sharp = LlamaSharp.IsBuilt ? LlamaSharp.MeasureFirstToken(path, Context, Prompt, Loads) : [];
            if (pair == 0)
            {
                continue; // brings the file into the cache
            }

            peers.Add(peer);
            first.Add(cold);
            warm.Add(later);
            if (sharp.Length > 0)
            {
                sharpFirst.Add(sharp[0]);
                sharpWarm.Add(Samples.Median(sharp[^WarmLoads..]));
            }
        }

        Samples.Print("load + first token", "ms", warm, peers);
        Samples.Print("the same, first in process", "ms", first, peers);
        if (sharpFirst.Count > 0)
        {
            Samples.Print("load + first token", "ms", warm, sharpWarm, "LLamaSharp");
            Samples.Print("the same, first in process", "ms", first, sharpFirst, "LLamaSharp");
        }

        return new FirstTokenTimes(first, warm, peers, sharpFirst, sharpWarm);
    }

    /// <summary>Runs in the child process: loads the model several times, and prints each time in milliseconds.</summary>
    public static void Measure(string path, int context, string prompt)
    {
        for (int i = 0; i < Loads; i++)
        {
            long start = Stopwatch.GetTimestamp();
            using MoeModel model = MoeModel.Load(path);
            using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = context, Threads = { Decode = 2 } });
            TokenStreams.ReadToEnd(session.GenerateAsync(prompt, SamplingOptions.Greedy, maxTokens: 1));
            Console.WriteLine(Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static (double First, double Later) MeasureOurs(string path)
    {
        ProcessStartInfo start = Child.Describe("first-token", path, Context.ToString(CultureInfo.InvariantCulture), Prompt);
        start.RedirectStandardOutput = true;
        using Process process = Process.Start(start)!;
        double[] times = [.. process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
        process.WaitForExit();
        return times.Length == Loads ? (times[0], Samples.Median(times[^WarmLoads..])) : throw new InvalidOperationException("The child printed no times.");
    }

    private static double MeasurePeer(string path)
    {
        // The tool's log thread can lose the last lines, which hold the times, when the process ends.
        for (int attempt = 0; attempt < 20; attempt++)
        {
            PeerResult result = Peer.Run(
                "llama-completion", "-m", path, "-p", Prompt, "-n", "2", "-c", $"{Context}", "-t", "2", "--temp", "0", "-no-cnv", "--no-warmup", "--perf");
            if (LoadTime().Match(result.Errors) is { Success: true } load && PromptTime().Match(result.Errors) is { Success: true } prompt)
            {
                return Milliseconds(load) + Milliseconds(prompt);
            }
        }

        throw new InvalidOperationException("llama-completion reported no load time.");
    }

    private static double Milliseconds(Match match) => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"load time =\s+([0-9.]+) ms")]
    private static partial Regex LoadTime();

    [GeneratedRegex(@"prompt eval time =\s+([0-9.]+) ms")]
    private static partial Regex PromptTime();
}
