using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Reading a stream: polling, waiting, falling behind, several at once.</summary>
[TestFixture]
public sealed class TokenStreamTests
{
    private const string Prompt = "To be, or not to be";

    private GenerationSession _session = null!;

    [SetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));

    [TearDown]
    public void DisposeSession() => _session.Dispose();

    [Test]
    public async Task TryRead_in_a_polling_loop_yields_what_the_iterator_does()
    {
        int[] expected = await SmallModel.Greedy(_session, Prompt, 40);
        using TokenStream stream = _session.GenerateAsync(Prompt, SamplingOptions.Greedy, 40);
        List<GeneratedToken> tokens = [];
        stream.IsCompleted.Should().BeFalse();
        while (!stream.IsCompleted)
        {
            if (stream.TryRead(out GeneratedToken token))
            {
                tokens.Add(token);
            }
            else
            {
                Thread.Yield();
            }
        }

        tokens.Select(token => token.Id).Should().Equal(expected);
        tokens[^1].StopReason.Should().Be(StopReason.MaxTokens);
        stream.TryRead(out _).Should().BeFalse();
    }

    [Test]
    public void TryRead_in_a_polling_loop_never_misses_a_failure()
    {
        for (int run = 0; run < 100; run++)
        {
            using var cancellation = new CancellationTokenSource();
            using TokenStream stream = _session.GenerateAsync(Prompt, SamplingOptions.Greedy, null, cancellation.Token);
            FluentActions.Invoking(() =>
            {
                for (int i = 0; !stream.IsCompleted; i++)
                {
                    if (stream.TryRead(out _))
                    {
                        cancellation.Cancel();
                    }
                }
            }).Should().Throw<OperationCanceledException>();
            stream.IsCompleted.Should().BeTrue();
        }
    }

    [Test]
    public async Task Prompt_is_computed_step_by_step_and_its_progress_can_be_read()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(2048) with { BatchSize = 64, MicroBatchSize = 64 });
        using TokenStream stream = session.GenerateAsync(string.Concat(Enumerable.Repeat(Prompt, 60)), SamplingOptions.Greedy, 1);
        stream.ComputedPromptTokenCount.Should().Be(0);

        var seen = new HashSet<int>();
        while (!stream.TryRead(out _))
        {
            seen.Add(stream.ComputedPromptTokenCount);
            await Task.Yield();
        }

        stream.PromptTokenCount.Should().BeGreaterThan(200);
        stream.ComputedPromptTokenCount.Should().Be(stream.PromptTokenCount);
        seen.Should().Contain(count => count > 0 && count < stream.PromptTokenCount);
    }

    [Test]
    public async Task Stream_that_nobody_reads_generates_nothing()
    {
        long before = _session.Statistics.RequestCount;
        using TokenStream unread = _session.GenerateAsync(Prompt, SamplingOptions.Greedy);
        (await SmallModel.Greedy(_session, Prompt, 3)).Should().HaveCount(3, "it takes no place in the session");
        SessionStatistics statistics = _session.Statistics;
        statistics.RequestCount.Should().Be(before + 1, "the stream that is read is the only one that was admitted");
        statistics.QueuedCount.Should().Be(0);
        unread.Statistics.Should().BeNull();
    }

    [Test]
    public async Task Reader_that_falls_behind_pauses_the_generation_and_loses_nothing()
    {
        int[] expected = await SmallModel.Greedy(_session, Prompt, 700);
        TokenStream stream = _session.GenerateAsync(Prompt, SamplingOptions.Greedy, 700);
        List<int> tokens = [];
        await foreach (GeneratedToken token in stream)
        {
            tokens.Add(token.Id);
            if (tokens.Count is 1 or 300)
            {
                await Task.Delay(1000);
                stream.Statistics.Should().BeNull("only 256 tokens are made ahead");
            }
        }

        tokens.Should().Equal(expected);
    }

    [Test]
    public async Task Reader_that_falls_behind_does_not_pause_others()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096, sequences: 2));
        using TokenStream slow = session.GenerateAsync(Prompt, SamplingOptions.Greedy, 1000);
        slow.TryRead(out _);
        (await SmallModel.Greedy(session, Prompt, 600)).Should().HaveCount(600);
        slow.Statistics.Should().BeNull();
    }

    [Test]
    public async Task Stream_that_is_enumerated_twice_refuses_the_second_reader()
    {
        TokenStream stream = _session.GenerateAsync(Prompt, SamplingOptions.Greedy, 2);
        await SmallModel.Read(stream);
        FluentActions.Invoking(() => stream.GetAsyncEnumerator()).Should().Throw<InvalidOperationException>().WithMessage("*already being read*");
    }

    [Test]
    public async Task Stream_that_two_threads_read_at_once_refuses_one_and_gives_each_token_once()
    {
        int[] expected = await SmallModel.Greedy(_session, Prompt, 200);
        using TokenStream stream = _session.GenerateAsync(Prompt, SamplingOptions.Greedy, 200);
        int refused = 0;
        Task<List<int>>[] readers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            List<int> tokens = [];
            while (!stream.IsCompleted)
            {
                try
                {
                    if (stream.TryRead(out GeneratedToken token))
                    {
                        tokens.Add(token.Id);
                    }
                }
                catch (InvalidOperationException exception) when (exception.Message.Contains("one reader", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref refused);
                }
            }

            return tokens;
        }))];
        List<int>[] read = await Task.WhenAll(readers);
        read.SelectMany(tokens => tokens).Should().BeEquivalentTo(expected);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Generations_at_once_yield_what_each_yields_alone(bool isUnified)
    {
        string[] prompts = ["To be", "Shall I compare thee to a summer's day?", "It was the best of times, it was", "Call me"];
        ContextOptions options = SmallModel.Context(2048, sequences: prompts.Length) with
        {
            BatchSize = 24,
            KvCache = new KvCacheOptions { Unified = isUnified },
        };
        List<int[]> alone = [];
        foreach (string prompt in prompts)
        {
            alone.Add(await SmallModel.Greedy(_session, prompt, 60));
        }

        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        for (int run = 0; run < 3; run++)
        {
            int[][] together = await Task.WhenAll(prompts.Select(prompt => Task.Run(() => SmallModel.Greedy(session, prompt, 60))));
            together.Should().BeEquivalentTo(alone, choice => choice.WithStrictOrdering());
        }
    }

    [Test]
    public async Task Generation_whose_neighbour_is_cancelled_goes_on_as_if_alone()
    {
        int[] expected = await SmallModel.Greedy(_session, Prompt, 300);
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096, sequences: 2));
        Task<int[]> steady = Task.Run(() => SmallModel.Greedy(session, Prompt, 300));
        while (!steady.IsCompleted)
        {
            await foreach (GeneratedToken token in session.GenerateAsync("It was the best of times", SamplingOptions.Greedy))
            {
                break;
            }
        }

        // Which tokens share a step decides how llama.cpp rounds, and rounding decides where two tokens are equally likely: once in this text.
        int[] tokens = await steady;
        tokens.Should().HaveSameCount(expected);
        tokens.Zip(expected).Count(pair => pair.First != pair.Second).Should().BeLessThan(5);
    }

    [Test]
    public async Task Generation_in_a_unified_cache_that_is_overfull_ends_and_leaves_the_other_to_go_on()
    {
        ContextOptions options = SmallModel.Context(256, sequences: 2) with { KvCache = new KvCacheOptions { Unified = true } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        TokenStream[] streams = [session.GenerateAsync(Prompt, SamplingOptions.Greedy), session.GenerateAsync(Prompt, SamplingOptions.Greedy)];
        List<GeneratedToken>[] tokens = await Task.WhenAll(streams.Select(SmallModel.Read));
        streams.Select(stream => stream.StopReason).Should().OnlyContain(reason => reason == StopReason.ContextFull);
        tokens.Max(list => list.Count).Should().BeGreaterThan(tokens.Min(list => list.Count));
    }
}
