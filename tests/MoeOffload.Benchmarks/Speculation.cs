using MoeOffload.Chat;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures the tokens/s of one stream with speculative decoding against plain decoding, in one process, on predictable and on unpredictable texts.</summary>
internal static class Speculation
{
    private const int Context = 512;
    private const int Threads = 2;
    private const int Texts = 6;
    private const int Tokens = 160;

    private static readonly SpeculationOptions s_usual = new();

    /// <summary>Measures prompt lookup with the demo model.</summary>
    public static void RunDemo(int pairs)
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        string[] stories = [.. Range(i => Write(model, Sampled("Once upon a time", i) with { MaxTokens = 120 }))];
        Compare(model, "stories", Range(i => Sampled("Once upon a time", i) with { MaxTokens = Tokens }), pairs);
        Compare(model, "questions on a story", Range(i => Greedy(Chat(model, stories[i] + " What was the name of the friend?"), 24)), pairs);
        Compare(model, "sums, counted out", Range(i => Greedy(Chat(model, $"What is {i + 8} plus {9 - i}?"), 120)), pairs);
        Compare(model, "the same text again", Range(i => Greedy(stories[i] + "\n\n" + stories[i][..(stories[i].Length / 4)], 90)), pairs);
    }

    /// <summary>Measures models with synthetic weights: a repetitive text, and drafts of a draft model and of MTP layers that are mostly rejected.</summary>
    public static void RunSynthetic(int pairs)
    {
        using MoeModel model = MoeModel.Load(TinyModels.Benchmark().Path);
        using MoeModel draft = MoeModel.Load(TinyModels.Qwen3Moe(TinyModels.Benchmark().Options with { Layers = 1, Seed = 7 }).Path);
        GenerationRequest[] requests = Range(i => Greedy($"{i}", Tokens));
        Compare(model, "lookup, repeats itself", requests, pairs);
        Compare(model, "draft model, mostly wrong", requests, pairs, s_usual with { DraftModel = draft });

        using MoeModel mtp = MoeModel.Load(TinyModels.Glm4Moe().Path, new ModelOptions { LoadMtpLayers = true });
        Compare(mtp, "MTP, as large as the model", requests, pairs, s_usual with { UseMtpLayers = true, MaxDraftTokens = 3 });
    }

    private static void Compare(MoeModel model, string what, GenerationRequest[] requests, int pairs, SpeculationOptions? options = null)
    {
        options ??= s_usual;
        Compare(what, options);
        Compare("the same, without pauses", options with { MinAcceptanceRate = 0 });

        void Compare(string what, SpeculationOptions options)
        {
            using GenerationSession with = Session(model, options);
            using GenerationSession without = Session(model, null);
            List<double> ratios = [];
            List<Load> guessed = [];
            List<Load> plain = [];
            for (int pair = -1; pair < pairs; pair++)
            {
                // The order changes with each pair, so that a drift of the machine falls on both; the first only warms both up.
                Load? before = pair % 2 == 0 ? null : Measure(without, requests);
                Load own = Measure(with, requests);
                Load other = before ?? Measure(without, requests);
                if (pair >= 0)
                {
                    guessed.Add(own);
                    plain.Add(other);
                    ratios.Add(own.TokensPerSecond / other.TokensPerSecond);
                }
            }

            Console.WriteLine(
                $"  {what,-28} ratio {Samples.Median(ratios):0.000} [{ratios.Min():0.000}, {ratios.Max():0.000}]   "
                + $"with guesses {Samples.Median(guessed.Select(load => load.TokensPerSecond)):0.0} tokens/s, without {Samples.Median(plain.Select(load => load.TokensPerSecond)):0.0}; "
                + $"{guessed[0].Accepted} of {guessed[0].Drafted} guesses right, {guessed[0].Generated} tokens");
        }
    }

    private static GenerationSession Session(MoeModel model, SpeculationOptions? speculation) => model.CreateSession(new ContextOptions
    {
        ContextLength = Context,
        Threads = { Decode = Threads },
        Speculation = speculation,
        PrefixCache = { Enabled = false },
    });

    private static Load Measure(GenerationSession session, GenerationRequest[] requests)
    {
        Samples.WaitForQuiet();
        GenerationStatistics[] all = [.. requests.Select(request => TokenStreams.ReadToEnd(session.GenerateAsync(request)))];
        return new Load(
            all.Sum(one => one.GeneratedTokens - 1) / all.Sum(one => one.DecodeTime.TotalSeconds),
            all.Sum(one => one.GeneratedTokens),
            all.Sum(one => one.DraftedTokens),
            all.Sum(one => one.AcceptedTokens));
    }

    private static string Write(MoeModel model, GenerationRequest request)
    {
        using GenerationSession session = Session(model, null);
        return request.Prompt + string.Concat(session.GenerateAsync(request).ToBlockingEnumerable().Select(token => token.Text));
    }

    private static string Chat(MoeModel model, string question) => model.ChatTemplate.Render([ChatMessage.User(question)], new ChatOptions()).Prompt;

    private static GenerationRequest Greedy(string prompt, int most) => new() { Prompt = prompt, MaxTokens = most, Sampling = SamplingOptions.Greedy };

    private static GenerationRequest Sampled(string prompt, int seed) => new() { Prompt = prompt, Sampling = new SamplingOptions { Seed = (uint)seed + 1 } };

    private static T[] Range<T>(Func<int, T> make) => [.. Enumerable.Range(0, Texts).Select(make)];

    private sealed record Load(double TokensPerSecond, int Generated, int Drafted, int Accepted);
}
