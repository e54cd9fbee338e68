using System.Diagnostics;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>More requests than places: who waits, for how long, and in which order they come.</summary>
[TestFixture]
public sealed class QueueTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly GenerationRequest s_endless = new()
    {
        Prompt = "To be",
        Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
    };

    [Test]
    public async Task Requests_beyond_the_sequences_wait_and_are_answered_as_alone()
    {
        string[] prompts = [.. Enumerable.Range(0, 12).Select(i => $"Verse {i}: shall I compare thee to a summer's day?")];
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1024, sequences: 2));
        List<GreedyText> alone = [];
        foreach (string prompt in prompts)
        {
            alone.Add(await GreedyText.Of(session, new GenerationRequest { Prompt = prompt, MaxTokens = 20 }));
        }

        GreedyText[] together = await Task.WhenAll(
            prompts.Select(prompt => Task.Run(() => GreedyText.Of(session, new GenerationRequest { Prompt = prompt, MaxTokens = 20 }))));
        for (int i = 0; i < prompts.Length; i++)
        {
            together[i].ShouldBeThatOf(alone[i]);
        }

        together.Max(text => text.Statistics!.QueueTime).Should().BePositive();
    }

    [TestCase(0)]
    [TestCase(2)]
    public async Task Request_beyond_the_queue_limit_is_refused_and_leaves_the_others_alone(int limit)
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096) with { QueueLimit = limit });
        TokenStream[] open = [.. Enumerable.Range(0, limit + 1).Select(_ => session.GenerateAsync(s_endless))];
        foreach (TokenStream stream in open)
        {
            stream.TryRead(out _);
        }

        using TokenStream refused = session.GenerateAsync(s_endless);
        FluentActions.Invoking(() => refused.TryRead(out _)).Should().Throw<QueueFullException>().WithMessage("*SequenceCount*QueueLimit*");
        refused.IsCompleted.Should().BeTrue();
        await Until(() => session.Statistics.RunningCount == 1);
        session.Statistics.QueuedCount.Should().Be(limit);

        open[0].Dispose();
        foreach (TokenStream stream in open.Skip(1))
        {
            (await FirstOf(stream)).Should().BeTrue();
            await stream.DisposeAsync();
        }

        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [Test]
    public async Task Waiting_requests_get_their_places_by_priority_and_then_in_the_order_of_arrival()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        TokenStream blocking = session.GenerateAsync(s_endless);
        (await FirstOf(blocking)).Should().BeTrue();
        int[] priorities = [0, 0, 5, -1, 5];
        TokenStream[] waiting = [.. priorities.Select(priority => session.GenerateAsync(s_endless with { Priority = priority, MaxTokens = 2 }))];
        foreach (TokenStream stream in waiting)
        {
            stream.TryRead(out _).Should().BeFalse();
        }

        // Short requests are prepared one after another: once the last is, all others wait for the place.
        using TokenStream last = session.GenerateAsync(s_endless with { Priority = -2 });
        await last.StartAsync().WaitAsync(s_patience);
        await blocking.DisposeAsync();
        await Task.WhenAll(waiting.Select(stream => SmallModel.Read(stream))).WaitAsync(s_patience);
        int[] order = [.. Enumerable.Range(0, waiting.Length).OrderBy(i => waiting[i].Statistics!.QueueTime)];
        order.Should().Equal(2, 4, 0, 1, 3);
    }

    [Test]
    public async Task Request_cancelled_while_it_waits_ends_at_once_and_gives_its_place_in_the_queue_back()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096) with { QueueLimit = 1 });
        using TokenStream blocking = session.GenerateAsync(s_endless);
        (await FirstOf(blocking)).Should().BeTrue();
        for (int run = 0; run < 20; run++)
        {
            using var cancellation = new CancellationTokenSource();
            TokenStream stream = session.GenerateAsync(s_endless, cancellation.Token);
            Task reading = Task.Run(() => SmallModel.Read(stream));
            SpinWait.SpinUntil(() => session.Statistics.QueuedCount == 1, s_patience).Should().BeTrue();
            await cancellation.CancelAsync();
            await FluentActions.Awaiting(() => reading.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>();
            stream.Statistics!.GeneratedTokens.Should().Be(0);
        }
    }

    [Test]
    public async Task Request_whose_deadline_passes_while_it_waits_ends_with_it_and_without_a_token()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        using TokenStream blocking = session.GenerateAsync(s_endless);
        (await FirstOf(blocking)).Should().BeTrue();
        var limit = TimeSpan.FromMilliseconds(150);
        TokenStream stream = session.GenerateAsync(s_endless with { Deadline = limit });
        long start = Stopwatch.GetTimestamp();
        List<GeneratedToken> tokens = await SmallModel.Read(stream).WaitAsync(s_patience);
        tokens.Should().BeEmpty();
        stream.StopReason.Should().Be(StopReason.Deadline);
        Stopwatch.GetElapsedTime(start).Should().BeGreaterThanOrEqualTo(limit);
        stream.Statistics!.QueueTime.Should().BeGreaterThanOrEqualTo(limit);
    }

    [Test]
    public async Task Request_whose_deadline_passes_while_it_runs_keeps_what_it_has_generated()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1 << 15));
        TokenStream stream = session.GenerateAsync(s_endless with { Deadline = TimeSpan.FromSeconds(2) });
        List<GeneratedToken> tokens = await SmallModel.Read(stream).WaitAsync(s_patience);
        stream.StopReason.Should().Be(StopReason.Deadline);
        tokens.Should().HaveCountGreaterThan(3);
        stream.Statistics!.GeneratedTokens.Should().Be(tokens.Count);
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [Test]
    public async Task Deadline_of_a_stream_that_is_not_read_passes_all_the_same()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        TokenStream stream = session.GenerateAsync(s_endless with { Deadline = TimeSpan.FromSeconds(2) });
        stream.TryRead(out _);
        await Until(() => stream.StopReason is not null);
        stream.StopReason.Should().Be(StopReason.Deadline);
        session.Statistics.RunningCount.Should().Be(0);
        (await SmallModel.Read(stream)).Count.Should().BeInRange(1, 256, "no more are made ahead of the reader");
    }

    [Test]
    public async Task Deadline_that_never_passes_changes_nothing()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        (await SmallModel.Read(session.GenerateAsync(s_endless with { Deadline = TimeSpan.MaxValue, MaxTokens = 5 }))).Should().HaveCount(5);
        (await SmallModel.Read(session.GenerateAsync(s_endless with { Deadline = TimeSpan.FromDays(90), MaxTokens = 5 }))).Should().HaveCount(5);
    }

    [TestCase(16, 2000 / 16)]
    [TestCase(40, 2000 / 40)]
    public async Task Long_prompt_leaves_a_running_stream_a_token_for_each_part(int promptTokens, int parts)
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context(8192, sequences: 2) with { PromptTokensPerStep = promptTokens });
        int read = 0;
        await using TokenStream steady = session.GenerateAsync(s_endless);
        Task reading = Task.Run(async () =>
        {
            await foreach (GeneratedToken token in steady)
            {
                Interlocked.Increment(ref read);
            }
        });
        await Until(() => Volatile.Read(ref read) > 3);

        int before = Volatile.Read(ref read);
        await using TokenStream late = session.GenerateAsync(s_endless with { PromptTokens = LongPrompt(2000) });
        (await FirstOf(late)).Should().BeTrue();
        int between = Volatile.Read(ref read) - before;
        TestContext.Out.WriteLine($"{between} tokens of the one while the prompt of the other was computed");
        between.Should().BeGreaterThan(parts * 8 / 10);
        await steady.DisposeAsync();
        await FluentActions.Awaiting(() => reading).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task Short_prompt_is_done_long_before_a_long_one_that_came_first()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(8192, sequences: 2) with { BatchSize = 32 });
        using TokenStream first = session.GenerateAsync(s_endless with { PromptTokens = LongPrompt(3000) });
        first.TryRead(out _);
        TokenStream second = session.GenerateAsync(s_endless with { PromptTokens = LongPrompt(40)[..40], MaxTokens = 1 });
        await SmallModel.Read(second).WaitAsync(s_patience);
        first.TryRead(out _).Should().BeFalse("its prompt is far from done");
    }

    [Test]
    public async Task Long_prompt_gets_every_fifth_step_at_least_while_short_ones_keep_coming()
    {
        const int Length = 1600;
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(8192, sequences: 4) with
        {
            PromptTokensPerStep = 32,
            BatchSize = 32,
            PrefixCache = new PrefixCacheOptions { Enabled = false },
        });
        TokenStream late = session.GenerateAsync(s_endless with { PromptTokens = LongPrompt(Length), MaxTokens = 1 });
        Task<List<GeneratedToken>> reading = SmallModel.Read(late);
        int others = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            while (!reading.IsCompleted)
            {
                await SmallModel.Read(session.GenerateAsync(s_endless with { PromptTokens = LongPrompt(28), MaxTokens = 1 }));
                Interlocked.Add(ref others, 28);
            }
        }))).WaitAsync(s_patience);
        TestContext.Out.WriteLine($"{others} tokens of short prompts beside {Length} of the long one");

        // Four steps are others', with up to 32 tokens each, and then one is its own.
        others.Should().BeInRange(Length, Length * 9 / 2);
    }

    [Test]
    public async Task Prompts_that_do_not_fit_into_a_unified_cache_together_wait()
    {
        ContextOptions options = SmallModel.Context(512, sequences: 4) with { KvCache = new KvCacheOptions { Unified = true } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        TokenStream[] streams = [.. Enumerable.Range(0, 4).Select(i => session.GenerateAsync(
            s_endless with { PromptTokens = [i, .. LongPrompt(299)], MaxTokens = 50 }))];
        List<GeneratedToken>[] tokens = await Task.WhenAll(streams.Select(stream => Task.Run(() => SmallModel.Read(stream)))).WaitAsync(s_patience);
        tokens.Should().AllSatisfy(list => list[^1].StopReason.Should().Be(StopReason.MaxTokens));
    }

    private static Task ReadOn(TokenStream stream) => Task.Run(async () =>
    {
        try
        {
            await SmallModel.Read(stream);
        }
        catch (ObjectDisposedException)
        {
            // It was read as long as it was wanted.
        }
    });

    private static int[] LongPrompt(int length)
    {
        var random = new Random(length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(500))];
    }

    private static async Task<bool> FirstOf(TokenStream stream)
    {
        await Until(() => stream.TryRead(out _));
        return true;
    }

    private static async Task Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                throw new TimeoutException("It did not happen.");
            }

            await Task.Delay(1);
        }
    }
}
