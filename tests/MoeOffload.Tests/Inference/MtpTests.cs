using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A model's own layers for multi-token prediction guess tokens, and change nothing else.</summary>
[TestFixture]
public sealed class MtpTests
{
    private const int Guesses = 3;

    private static readonly SpeculationOptions s_speculation = new() { UseMtpLayers = true, MaxDraftTokens = Guesses };
    private static readonly ModelOptions s_options = new() { LoadMtpLayers = true };

    public static IEnumerable<TestCaseData> Models()
    {
        foreach (bool unified in (bool[])[false, true])
        {
            yield return new(TinyModels.Glm4Moe(), new KvCacheOptions { Unified = unified });
            yield return new(TinyModels.Step35(), new KvCacheOptions { Unified = unified, FullSizeSwa = unified });
            yield return new(TinyModels.Qwen35Moe(), new KvCacheOptions { Unified = unified });
        }
    }

    [TestCaseSource(nameof(Models))]
    public async Task Greedy_text_with_guesses_is_that_without(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        for (int run = 0; run < 2; run++)
        {
            GreedyText expected = await GreedyText.Of(plain, Prompt(70), 200);
            GreedyText found = await GreedyText.Of(guessing, Prompt(70), 200);
            found.ShouldBeThatOf(expected);
            ShouldGuessWell(found);
        }
    }

    [TestCaseSource(nameof(Models))]
    public async Task Generations_at_once_guess_as_each_alone(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(2048, sequences: 4) with { KvCache = cache, PromptTokensPerStep = 16, Speculation = s_speculation };
        using GenerationSession session = model.CreateSession(options);
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => Prompt(5 + (23 * i)))];
        List<GreedyText> alone = [];
        foreach (int[] prompt in prompts)
        {
            alone.Add(await GreedyText.Of(session, prompt, 100));
        }

        using GenerationSession shared = model.CreateSession(options);
        GreedyText[] together = await Task.WhenAll(prompts.Select(prompt => Task.Run(() => GreedyText.Of(shared, prompt, 100))));
        for (int i = 0; i < prompts.Length; i++)
        {
            TestContext.Out.WriteLine(
                $"{alone[i].Statistics!.AcceptedTokens} of {alone[i].Statistics!.DraftedTokens} alone, {together[i].Statistics!.AcceptedTokens} of {together[i].Statistics!.DraftedTokens} together");
            together[i].ShouldBeThatOf(alone[i]);
        }
    }

    private static void ShouldGuessWell(GreedyText text)
    {
        GenerationStatistics statistics = text.Statistics!;
        TestContext.Out.WriteLine($"{statistics.AcceptedTokens} of {statistics.DraftedTokens} guesses were right, of {text.Tokens.Length} tokens");
        statistics.AcceptedTokens.Should().BeGreaterThan(statistics.DraftedTokens / 4);
    }

    private static int[] Prompt(int count) => [.. Enumerable.Range(0, count).Select(i => 200 + (i * i % 301))];
}
