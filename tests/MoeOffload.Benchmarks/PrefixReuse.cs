using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures TTFT with nine tenths of the prompt in the prefix cache, against the same prompt without the cache.</summary>
internal static class PrefixReuse
{
    private const int PromptTokens = 1000;
    private const int CachedTokens = 900;
    private const int Threads = 2;

    public static void Run(TinyModel file, int pairs)
    {
        using MoeModel model = MoeModel.Load(file.Path);
        using GenerationSession with = CreateSession(model, isCached: true);
        using GenerationSession without = CreateSession(model, isCached: false);
        var random = new Random(1);
        int[] common = Tokens(CachedTokens);
        Measure(with, common, expectedCached: 0);
        List<double> cached = [];
        List<double> full = [];
        for (int pair = 0; pair < pairs; pair++)
        {
            int[] prompt = [.. common, .. Tokens(PromptTokens - CachedTokens)];
            full.Add(Measure(without, prompt, expectedCached: 0));
            cached.Add(Measure(with, prompt, CachedTokens));
        }

        double[] ratios = [.. cached.Zip(full, (part, whole) => part / whole)];
        Console.WriteLine(
            $"  {"TTFT, 90 % cached",-28} ratio {Samples.Median(ratios):0.000} [{ratios.Min():0.000}, {ratios.Max():0.000}]   {CachedTokens} of {PromptTokens} tokens cached {Samples.Median(cached):0.0} ms, none {Samples.Median(full):0.0} ms");

        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(256, model.Vocabulary.Size))];
    }

    private static GenerationSession CreateSession(MoeModel model, bool isCached) => model.CreateSession(new ContextOptions
    {
        ContextLength = 2 * PromptTokens,
        SequenceCount = 2,
        KvCache = { Unified = true },
        Threads = { Decode = Threads },
        PrefixCache = { Enabled = isCached },
    });

    private static double Measure(GenerationSession session, int[] prompt, int expectedCached)
    {
        using TokenStream stream = session.GenerateAsync(new GenerationRequest { PromptTokens = prompt, MaxTokens = 1, Sampling = SamplingOptions.Greedy });
        GenerationStatistics statistics = TokenStreams.ReadToEnd(stream);
        return statistics.CachedPromptTokens == expectedCached
            ? statistics.TimeToFirstToken.TotalMilliseconds
            : throw new InvalidOperationException($"{statistics.CachedPromptTokens} tokens were cached, not {expectedCached}.");
    }
}
