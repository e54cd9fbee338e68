using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>
/// Measures prompt and decode tokens/s against <c>llama-bench</c>. Ours are measured through the public API, and include sampling, text and
/// a reader, which the peer's figures do not include.
/// </summary>
internal static class Throughput
{
    private const int PromptTokens = 512;
    private const int DecodeTokens = 128;
    private const int Repeats = 3;
    private const int Threads = 2;

    public static void Run(TinyModel model, int pairs)
    {
        using MoeModel loaded = MoeModel.Load(model.Path);
        using GenerationSession session = loaded.CreateSession(new ContextOptions
        {
            ContextLength = PromptTokens + DecodeTokens,
            BatchSize = 2048,
            MicroBatchSize = 512,
            Threads = { Decode = Threads },
            PrefixCache = { Enabled = false },
        });
        List<double> prompt = [];
        List<double> decode = [];
        List<double> peerPrompt = [];
        List<double> peerDecode = [];
        Measure(session, loaded.Vocabulary.Size);
        for (int pair = 0; pair < pairs; pair++)
        {
            // The order changes with each pair, so that a drift of the machine falls on both.
            if (pair % 2 == 1)
            {
                MeasurePeer(model.Path, peerPrompt, peerDecode);
            }

            (double promptRate, double decodeRate) = Measure(session, loaded.Vocabulary.Size);
            prompt.Add(promptRate);
            decode.Add(decodeRate);
            if (pair % 2 == 0)
            {
                MeasurePeer(model.Path, peerPrompt, peerDecode);
            }
        }

        Samples.Print($"prompt, {PromptTokens} tokens", "tokens/s", prompt, peerPrompt);
        Samples.Print($"decode, {DecodeTokens} tokens", "tokens/s", decode, peerDecode);
    }

    private static (double Prompt, double Decode) Measure(GenerationSession session, int vocabulary)
    {
        var random = new Random(1);
        int[] prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(vocabulary))];
        List<double> promptRates = [];
        List<double> decodeRates = [];
        for (int i = 0; i < Repeats; i++)
        {
            GenerationStatistics processed = Generate(session, prompt, 1);
            promptRates.Add(PromptTokens / processed.TimeToFirstToken.TotalSeconds);

            // As in llama-bench, decoding starts with an empty context.
            decodeRates.Add(Generate(session, prompt[..1], DecodeTokens + 1).TokensPerSecond);
        }

        return (Samples.Median(promptRates), Samples.Median(decodeRates));
    }

    private static GenerationStatistics Generate(GenerationSession session, int[] prompt, int tokens)
    {
        using TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = tokens,
            Sampling = SamplingOptions.Greedy,
        });
        GenerationStatistics statistics = TokenStreams.ReadToEnd(stream);
        return statistics.GeneratedTokens == tokens
            ? statistics
            : throw new InvalidOperationException("The model ended its text too early: use another seed.");
    }

    private static void MeasurePeer(string path, List<double> prompt, List<double> decode)
    {
        prompt.Add(Samples.Median(LlamaBench.Measure(path, PromptTokens, 0, Repeats, Threads)));
        decode.Add(Samples.Median(LlamaBench.Measure(path, 0, DecodeTokens, Repeats, Threads)));
    }
}
