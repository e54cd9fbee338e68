using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Cached tokens of earlier prompts are found, are evicted when necessary, and never change an answer.</summary>
[TestFixture]
public sealed class PrefixCacheTests
{
    private const int Answer = 24;

    public static IEnumerable<TestCaseData> Caches()
    {
        foreach (TinyModel model in TinyModels.All)
        {
            yield return new(model, new KvCacheOptions());
            yield return new(model, new KvCacheOptions { Unified = true });
        }

        yield return new(TinyModels.GptOss(), new KvCacheOptions { FullSizeSwa = false });
        yield return new(TinyModels.GptOss(), new KvCacheOptions { FullSizeSwa = false, Unified = true });
        yield return new(TinyModels.Qwen3Moe(), new KvCacheOptions { KeyType = GgmlType.Q8_0, ValueType = GgmlType.Q8_0 });
    }

    [TestCaseSource(nameof(Caches))]
    public async Task Answers_with_kept_prefixes_are_those_without(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path);
        ContextOptions options = SmallModel.Context(2048, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        using GenerationSession keeping = model.CreateSession(options);
        int[] first = Tokens(1, 300);
        int[][] prompts =
        [
            first,
            first,
            [.. first, .. Tokens(2, 20)],
            [.. first[..150], .. Tokens(3, 30)],
            [.. first[..150], .. Tokens(4, 200)],
            first[..40],
            Tokens(5, 60),
            first,
        ];
        int cached = 0;
        foreach (int[] prompt in prompts)
        {
            GreedyText expected = await GreedyText.Of(plain, prompt, Answer);
            expected.Statistics!.CachedPromptTokens.Should().Be(0);
            GreedyText found = await GreedyText.Of(keeping, prompt, Answer);
            found.ShouldBeThatOf(expected);
            cached += found.Statistics!.CachedPromptTokens;
        }

        cached.Should().BeGreaterThan(file.Name.StartsWith("gpt-oss", StringComparison.Ordinal) && cache.FullSizeSwa == false ? 200 : 700);
        keeping.Statistics.CachedPromptTokens.Should().Be(cached);
        keeping.Statistics.PromptTokens.Should().Be(prompts.Sum(prompt => prompt.Length));
        plain.Statistics.PrefixHits.Should().Be(0);
        plain.Statistics.PrefixCacheTokens.Should().Be(0);
    }

    [Test]
    public async Task Prompt_that_was_asked_before_computes_its_last_token_only()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1024));
        int[] prompt = Tokens(1, 200);
        GreedyText before = await GreedyText.Of(session, prompt, Answer);
        before.Statistics!.CachedPromptTokens.Should().Be(0);
        GreedyText after = await GreedyText.Of(session, prompt, Answer);
        after.Statistics!.CachedPromptTokens.Should().Be(199);
        after.ShouldBeThatOf(before);
        session.Statistics.PrefixHits.Should().Be(1);
        session.Statistics.RequestCount.Should().Be(2);
    }

    [Test]
    public async Task Conversation_that_goes_on_finds_its_answers_too()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1024));
        int[] prompt = Tokens(1, 100);
        GreedyText answer = await GreedyText.Of(session, prompt, Answer);
        int[] next = [.. prompt, .. answer.Tokens, .. Tokens(2, 10)];
        GreedyText second = await GreedyText.Of(session, next, Answer);
        second.Statistics!.CachedPromptTokens.Should().Be(100 + Answer - 1, "the answer's last token was never computed");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Prefix_of_a_generation_that_still_runs_is_found_and_both_go_on_as_alone(bool isUnified)
    {
        int[] shared = Tokens(1, 200);
        int[] late = [.. shared, .. Tokens(2, 10)];
        ContextOptions options = SmallModel.Context(4096, sequences: 3) with { KvCache = new KvCacheOptions { Unified = isUnified } };
        using GenerationSession plain = SmallModel.Shared.CreateSession(options with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        GreedyText steadyAlone = await GreedyText.Of(plain, shared, 400);
        GreedyText lateAlone = await GreedyText.Of(plain, late, Answer);

        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        Task<GreedyText> steady = Task.Run(() => GreedyText.Of(session, shared, 400));
        SpinWait.SpinUntil(() => session.Statistics.RunningCount == 1, TimeSpan.FromSeconds(20)).Should().BeTrue();
        await Task.Delay(30);
        GreedyText[] together = await Task.WhenAll(GreedyText.Of(session, late, Answer), GreedyText.Of(session, late, Answer));
        foreach (GreedyText text in together)
        {
            text.ShouldBeThatOf(lateAlone);
            text.Statistics!.CachedPromptTokens.Should().BeGreaterThan(190);
        }

        (await steady).ShouldBeThatOf(steadyAlone);
    }

    [Test]
    public async Task Sequence_that_was_used_the_longest_ago_is_given_up_first()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1024, sequences: 2));
        int[][] prompts = [.. Enumerable.Range(1, 3).Select(seed => Tokens(seed, 60))];
        foreach (int[] prompt in (int[][])[prompts[0], prompts[1], prompts[0], prompts[2]])
        {
            await GreedyText.Of(session, prompt, 2);
        }

        session.Statistics.Evictions.Should().Be(1);
        (await GreedyText.Of(session, prompts[0], 2)).Statistics!.CachedPromptTokens.Should().Be(59);
        (await GreedyText.Of(session, prompts[2], 2)).Statistics!.CachedPromptTokens.Should().Be(59);
        (await GreedyText.Of(session, prompts[1], 2)).Statistics!.CachedPromptTokens.Should().Be(0);
    }

    [Test]
    public async Task Kept_cells_of_a_unified_cache_make_room_for_what_runs()
    {
        ContextOptions options = SmallModel.Context(512, sequences: 3) with { KvCache = new KvCacheOptions { Unified = true } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        await GreedyText.Of(session, Tokens(1, 200), 4);
        await GreedyText.Of(session, Tokens(2, 200), 4);
        GreedyText third = await GreedyText.Of(session, Tokens(3, 300), 150);
        third.Tokens.Should().HaveCount(150);
        session.Statistics.Evictions.Should().Be(2);
        (await GreedyText.Of(session, Tokens(3, 300), 4)).Statistics!.CachedPromptTokens.Should().Be(299);
    }

    [Test]
    public async Task Prompt_of_a_cancelled_generation_is_kept_as_far_as_it_was_computed()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096) with { BatchSize = 64 });
        int[] prompt = Tokens(1, 3000);
        using (GenerationSession plain = SmallModel.Shared.CreateSession(SmallModel.Context(4096)))
        {
            GreedyText expected = await GreedyText.Of(plain, prompt, Answer);
            var random = new Random(1);
            for (int run = 0; run < 6; run++)
            {
                using var cancellation = new CancellationTokenSource();
                cancellation.CancelAfter(random.Next(1, 80));
                await FluentActions.Awaiting(() => SmallModel.Read(session.GenerateAsync(
                    new GenerationRequest { PromptTokens = [.. prompt, run] }, cancellation.Token))).Should().ThrowAsync<OperationCanceledException>();
            }

            GreedyText found = await GreedyText.Of(session, prompt, Answer);
            found.ShouldBeThatOf(expected);
            found.Statistics!.CachedPromptTokens.Should().BePositive();
        }
    }

    [Test]
    public async Task Recurrent_state_is_continued_as_a_whole_or_not_at_all()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Mamba().Path);
        ContextOptions options = SmallModel.Context(1024, sequences: 2);
        using GenerationSession plain = model.CreateSession(options with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        using GenerationSession keeping = model.CreateSession(options);
        int[] prompt = Tokens(1, 100);
        GreedyText answer = await GreedyText.Of(keeping, prompt, Answer);
        answer.ShouldBeThatOf(await GreedyText.Of(plain, prompt, Answer));

        int[] next = [.. prompt, .. answer.Tokens[..^1], .. Tokens(2, 10)];
        GreedyText whole = await GreedyText.Of(keeping, next, Answer);
        whole.Statistics!.CachedPromptTokens.Should().Be(100 + Answer - 1);
        whole.ShouldBeThatOf(await GreedyText.Of(plain, next, Answer));

        foreach (int[] other in (int[][])[prompt, [.. prompt, .. Tokens(3, 10)]])
        {
            GreedyText part = await GreedyText.Of(keeping, other, Answer);
            part.Statistics!.CachedPromptTokens.Should().Be(0);
            part.ShouldBeThatOf(await GreedyText.Of(plain, other, Answer));
        }
    }

    [TestCaseSource(nameof(Caches))]
    public async Task Prefix_that_went_to_system_memory_comes_back_and_yields_the_same(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path);
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with
        {
            KvCache = cache,
            PrefixCache = new PrefixCacheOptions { HostBytes = 64 << 20 },
        };
        using GenerationSession session = model.CreateSession(options);
        int[][] prompts = [.. Enumerable.Range(1, 5).Select(seed => Tokens(seed, 200))];
        List<GreedyText> before = [];
        foreach (int[] prompt in prompts)
        {
            before.Add(await GreedyText.Of(session, prompt, 8));
        }

        session.Statistics.SwapOuts.Should().Be(3);
        session.Statistics.SwappedOutBytes.Should().BePositive();
        for (int i = 0; i < prompts.Length; i++)
        {
            int[] longer = [.. prompts[i], .. before[i].Tokens[..^1], .. Tokens(9, 5)];
            GreedyText found = await GreedyText.Of(session, longer, 8);
            found.Statistics!.CachedPromptTokens.Should().Be(207);
            using GenerationSession plain = model.CreateSession(options with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
            found.ShouldBeThatOf(await GreedyText.Of(plain, longer, 8));
        }

        session.Statistics.SwapIns.Should().BeGreaterThanOrEqualTo(3);
    }

    [Test]
    public async Task System_memory_holds_no_more_than_its_budget()
    {
        const long Budget = 300_000;
        using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context(1024) with { PrefixCache = new PrefixCacheOptions { HostBytes = Budget } });
        long most = 0;
        for (int seed = 1; seed <= 8; seed++)
        {
            await GreedyText.Of(session, Tokens(seed, 100), 2);
            most = Math.Max(most, session.Statistics.SwappedOutBytes);
        }

        most.Should().BeInRange(Budget / 2, Budget);
        (await GreedyText.Of(session, Tokens(7, 100), 2)).Statistics!.CachedPromptTokens.Should().Be(99);
        (await GreedyText.Of(session, Tokens(1, 100), 2)).Statistics!.CachedPromptTokens.Should().Be(0);
    }

    [Test]
    public async Task Recurrent_state_goes_to_system_memory_and_comes_back()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Mamba().Path);
        using GenerationSession session = model.CreateSession(
            SmallModel.Context(1024) with { PrefixCache = new PrefixCacheOptions { HostBytes = 1 << 24 } });
        GreedyText first = await GreedyText.Of(session, Tokens(1, 100), 8);
        await GreedyText.Of(session, Tokens(2, 100), 8);
        int[] longer = [.. Tokens(1, 100), .. first.Tokens[..^1], 30, 40];
        GreedyText found = await GreedyText.Of(session, longer, 8);
        found.Statistics!.CachedPromptTokens.Should().Be(107);
        using GenerationSession plain = model.CreateSession(SmallModel.Context(1024) with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        found.ShouldBeThatOf(await GreedyText.Of(plain, longer, 8));
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(10, 500))];
    }
}
