using System.Collections.Concurrent;
using System.Diagnostics;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>
/// Measures the tokens/s of all streams together and TTFT against <c>llama-server</c> with the same number of slots, libraries, file and settings.
/// Each stream sends one request after the other; requests to the peer use HTTP on loopback.
/// </summary>
internal static class Streams
{
    private const int SequenceLength = 512;
    private const int DecodeTokens = 64;
    private const int Threads = 2;
    private const int BatchSize = 2048;
    private const int MicroBatchSize = 512;
    private const int RequestsInAll = 24;
    private const int LeastPrompt = 32;
    private const int LongestPrompt = 256;

    private static readonly int[] s_counts = [1, 4, 16];

    // The runtime compiles in the background during the first seconds.
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(10);

    /// <summary>Measures the library.</summary>
    public static void RunLibrary(string path, int pairs)
    {
        using MoeModel model = MoeModel.Load(path);
        foreach (int count in s_counts)
        {
            using GenerationSession session = model.CreateSession(new ContextOptions
            {
                ContextLength = count * SequenceLength,
                SequenceCount = count,
                BatchSize = BatchSize,
                MicroBatchSize = MicroBatchSize,
                Threads = { Decode = Threads },
                PrefixCache = { Enabled = false },
            });
            Run(prompt => GenerateAsync(session, prompt), path, model.Vocabulary.Size, count, pairs);
        }
    }

    /// <summary>Measures the server over HTTP.</summary>
    public static void RunServer(string path, int pairs)
    {
        int vocabulary;
        using (MoeModel model = MoeModel.Load(path))
        {
            vocabulary = model.Vocabulary.Size;
        }

        foreach (int count in s_counts)
        {
            using MoeServer server = MoeServer.Start(path, Arguments(count));
            using var client = new CompletionClient(server.Address, Path.GetFileNameWithoutExtension(path));
            Run(prompt => client.StreamAsync(prompt, DecodeTokens), path, vocabulary, count, pairs);
        }
    }

    private static void Run(Func<int[], Task<TimeSpan>> ours, string path, int vocabulary, int count, int pairs)
    {
        using LlamaServer server = LlamaServer.Start(path, [.. Arguments(count), "--no-kv-unified", "--cache-ram", "0"]);
        using var client = new CompletionClient(server.Address);
        Func<int[], Task<TimeSpan>> peer = prompt => client.StreamAsync(prompt, DecodeTokens);

        List<Load> our = [];
        List<Load> peers = [];
        WarmUp(peer, vocabulary, count);
        WarmUp(ours, vocabulary, count);
        for (int pair = 0; pair < pairs; pair++)
        {
            // The order changes with each pair, so that a drift of the machine falls on both.
            int[][] prompts = MakePrompts(vocabulary, pair);
            Load? before = pair % 2 == 0 ? null : Measure(peer, prompts, count);
            our.Add(Measure(ours, prompts, count));
            peers.Add(before ?? Measure(peer, prompts, count));
        }

        string streams = count == 1 ? "1 stream" : $"{count} streams";
        Print($"{streams}, all together", "tokens/s", load => load.TokensPerSecond);
        Print($"{streams}, TTFT median", "ms", load => load.MedianMilliseconds);
        Print($"{streams}, TTFT 95 %", "ms", load => load.HighMilliseconds);

        void Print(string what, string unit, Func<Load, double> value) => Samples.Print(what, unit, [.. our.Select(value)], [.. peers.Select(value)]);
    }

    // The same names at both servers.
    private static string[] Arguments(int count) =>
        ["-np", $"{count}", "-c", $"{count * SequenceLength}", "-t", $"{Threads}", "-b", $"{BatchSize}", "-ub", $"{MicroBatchSize}"];

    private static int[][] MakePrompts(int vocabulary, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, RequestsInAll).Select(_ =>
            Enumerable.Range(0, random.Next(LeastPrompt, LongestPrompt + 1)).Select(_ => random.Next(256, vocabulary - 8)).ToArray())];
    }

    private static void WarmUp(Func<int[], Task<TimeSpan>> request, int vocabulary, int streams)
    {
        long start = Stopwatch.GetTimestamp();
        for (int seed = -1; Stopwatch.GetElapsedTime(start) < s_warmUp; seed--)
        {
            Measure(request, MakePrompts(vocabulary, seed), streams);
        }
    }

    private static Load Measure(Func<int[], Task<TimeSpan>> request, int[][] prompts, int streams)
    {
        var waiting = new ConcurrentQueue<int[]>(prompts);
        var first = new ConcurrentBag<double>();
        Samples.WaitForQuiet();
        long start = Stopwatch.GetTimestamp();
        Task.WhenAll(Enumerable.Range(0, streams).Select(_ => Task.Run(async () =>
        {
            while (waiting.TryDequeue(out int[]? prompt))
            {
                first.Add((await request(prompt)).TotalMilliseconds);
            }
        }))).GetAwaiter().GetResult();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double[] sorted = [.. first.Order()];
        return new Load(prompts.Length * DecodeTokens / seconds, Samples.Median(sorted), sorted[(int)(0.95 * (sorted.Length - 1))]);
    }

    private static async Task<TimeSpan> GenerateAsync(GenerationSession session, int[] prompt)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan? first = null;
        int count = 0;
        await foreach (GeneratedToken token in session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = DecodeTokens,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        }))
        {
            first ??= Stopwatch.GetElapsedTime(start);
            count++;
        }

        return count == DecodeTokens ? first!.Value : throw new InvalidOperationException($"The stream ended after {count} tokens.");
    }

    private sealed record Load(double TokensPerSecond, double MedianMilliseconds, double HighMilliseconds);
}
