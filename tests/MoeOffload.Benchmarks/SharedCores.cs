using System.Diagnostics;
using System.Globalization;

namespace MoeOffload.Benchmarks;

/// <summary>
/// Measures prompt and decode tokens/s beside busy processes: ours with the default number of threads, against <c>llama-bench</c> with the
/// number of threads that is best for it beside these processes.
/// </summary>
internal static class SharedCores
{
    private const int PromptTokens = 256;
    private const int DecodeTokens = 256;
    private static readonly int[] s_busy = [0, 1, 2, 4];
    private static readonly int[] s_threads = [1, 2];

    /// <summary>Uses a core, in a child process of the benchmark, until the process is killed.</summary>
    public static void UseCore()
    {
        using var parent = Process.GetProcessById(int.Parse(Console.In.ReadLine()!, CultureInfo.InvariantCulture));
        var watch = new Thread(() =>
        {
            parent.WaitForExit();
            Environment.Exit(0);
        });
        watch.Start();
        for (long i = 0; ; i++)
        {
            GC.KeepAlive(null);
        }
    }

    public static void Run(string path, int pairs)
    {
        using MoeModel model = MoeModel.Load(path);
        using GenerationSession session = model.CreateSession(new ContextOptions
        {
            ContextLength = PromptTokens + DecodeTokens,
            PrefixCache = { Enabled = false },
        });
        double idlePrompt = 0;
        double idleDecode = 0;
        foreach (int busy in s_busy)
        {
            List<Process> others = [.. Enumerable.Range(0, busy).Select(_ => Start())];
            try
            {
                (double prompt, double decode) = Run(session, model.Vocabulary.Size, path, busy, pairs);
                idlePrompt = busy == 0 ? prompt : idlePrompt;
                idleDecode = busy == 0 ? decode : idleDecode;
                if (busy > 0)
                {
                    Console.WriteLine(
                        $"    of our speed alone: prompt {prompt / idlePrompt:0.00}, decode {decode / idleDecode:0.00}; {session.Statistics.ThreadCount} thread(s) at the end");
                }
            }
            finally
            {
                others.ForEach(End);
            }
        }
    }

    private static (double Prompt, double Decode) Run(GenerationSession session, int vocabulary, string path, int busy, int pairs)
    {
        List<double> prompt = [];
        List<double> decode = [];
        Dictionary<int, List<double>> peerPrompt = s_threads.ToDictionary(count => count, _ => new List<double>());
        Dictionary<int, List<double>> peerDecode = s_threads.ToDictionary(count => count, _ => new List<double>());
        Measure(session, vocabulary, [], []);
        for (int pair = 0; pair < pairs; pair++)
        {
            Measure(session, vocabulary, prompt, decode);
            foreach (int threads in s_threads)
            {
                (double promptRate, double decodeRate) = LlamaBench.Measure(path, PromptTokens, DecodeTokens, repeats: 1, threads);
                peerPrompt[threads].Add(promptRate);
                peerDecode[threads].Add(decodeRate);
            }
        }

        string beside = $"beside {busy}";
        Samples.Print($"{beside}, prompt", "tokens/s", prompt, peerPrompt.Values.MaxBy(Samples.Median)!);
        Samples.Print($"{beside}, decode", "tokens/s", decode, peerDecode.Values.MaxBy(Samples.Median)!);
        return (Samples.Median(prompt), Samples.Median(decode));
    }

    private static void Measure(GenerationSession session, int vocabulary, List<double> promptRates, List<double> decodeRates)
    {
        var random = new Random(1);
        int[] prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(vocabulary))];
        promptRates.Add(PromptTokens / Generate(session, prompt, 1).TimeToFirstToken.TotalSeconds);
        decodeRates.Add(Generate(session, prompt[..1], DecodeTokens + 1).TokensPerSecond);
    }

    private static GenerationStatistics Generate(GenerationSession session, int[] prompt, int tokens)
    {
        using TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = tokens,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        });
        return TokenStreams.ReadToEnd(stream);
    }

    private static Process Start()
    {
        ProcessStartInfo start = Child.Describe("busy");
        start.RedirectStandardInput = true;
        Process process = Process.Start(start)!;
        process.StandardInput.WriteLine(Environment.ProcessId);
        return process;
    }

    private static void End(Process process)
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
