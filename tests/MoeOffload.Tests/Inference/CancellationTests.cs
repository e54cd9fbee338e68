using FluentAssertions;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A generation can be canceled at any point, and the session can be used immediately afterwards.</summary>
[TestFixture]
public sealed class CancellationTests
{
    private GenerationSession _session = null!;

    [SetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));

    [TearDown]
    public void DisposeSession() => _session.Dispose();

    [Test]
    public async Task Generation_cancelled_before_its_start_never_begins()
    {
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();
        TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy, 4, cancellation.Token);
        await Cancelled(() => SmallModel.Read(stream), cancellation.Token);
        stream.Statistics.Should().BeNull();
        await IsUsable();
    }

    [Test]
    public async Task Generation_cancelled_in_its_prompt_ends_long_before_the_prompt_does()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context(4096) with { BatchSize = 16, PrefixCache = new PrefixCacheOptions { Enabled = false } });
        int[] prompt = [.. Enumerable.Range(0, 4000).Select(i => i % 200)];

        // On a busy machine the prompt may be done before this thread has its turn again: another try then.
        int computed = prompt.Length;
        for (int attempt = 0; attempt < 20 && computed > prompt.Length / 2; attempt++)
        {
            using var cancellation = new CancellationTokenSource();
            TokenStream stream = session.GenerateAsync(
                new GenerationRequest { PromptTokens = prompt, Sampling = SamplingOptions.Greedy, MaxTokens = 1 }, cancellation.Token);
            stream.TryRead(out _).Should().BeFalse();
            SpinWait.SpinUntil(() => stream.ComputedPromptTokenCount > 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
            await cancellation.CancelAsync();
            await SmallModel.Read(stream).ContinueWith(reading => reading.Exception, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(60));
            computed = stream.ComputedPromptTokenCount;
        }

        computed.Should().BeLessThanOrEqualTo(prompt.Length / 2, "a prompt that is not wanted is not computed to its end");
        await IsUsable();
    }

    [Test]
    public async Task Canceled_step_is_not_an_error_in_the_log()
    {
        using var log = new RecordedLog();
        using MoeModel model = MoeModel.Load(SmallModel.File.Path, new ModelOptions { LoggerFactory = log });
        using GenerationSession session = model.CreateSession(SmallModel.Context(4096));
        int[] prompt = [.. Enumerable.Range(0, 4000).Select(i => i % 200)];
        for (int run = 0; run < 20 && !Stops().Any(); run++)
        {
            using TokenStream stream = session.GenerateAsync(new GenerationRequest { PromptTokens = prompt, MaxTokens = 1 });
            stream.TryRead(out _);
            while (session.Statistics.RunningCount == 0)
            {
                await Task.Yield();
            }

            await Task.Delay(run);
            await stream.DisposeAsync();
        }

        Stops().Should().NotBeEmpty().And.OnlyContain(line => line.Level == LogLevel.Debug);
        log.Lines.Should().NotContain(line => line.Level >= LogLevel.Error);

        IEnumerable<(string Category, LogLevel Level, string Text)> Stops() => log.Lines.Where(line => line.Text.Contains("compute status"));
    }

    [Test]
    public async Task Generation_cancelled_between_tokens_yields_none_that_was_made_ahead()
    {
        using var cancellation = new CancellationTokenSource();
        int read = 0;
        await Cancelled(
            async () =>
            {
                await foreach (GeneratedToken token in _session.GenerateAsync("To be", SamplingOptions.Greedy, null, cancellation.Token))
                {
                    read++;
                    if (read == 5)
                    {
                        await Task.Delay(50);
                        await cancellation.CancelAsync();
                    }
                }
            },
            cancellation.Token);
        read.Should().Be(5);
        await IsUsable();
    }

    [Test]
    public async Task Generation_cancelled_by_the_loops_own_token_ends_with_it()
    {
        using var cancellation = new CancellationTokenSource();
        TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy);
        await Cancelled(
            async () =>
            {
                await foreach (GeneratedToken token in stream.WithCancellation(cancellation.Token))
                {
                    await cancellation.CancelAsync();
                }
            },
            cancellation.Token);
        stream.IsCompleted.Should().BeTrue();
        await IsUsable();
    }

    [Test]
    public async Task Generation_cancelled_at_random_moments_frees_its_place_each_time()
    {
        var random = new Random(1);
        for (int run = 0; run < 100; run++)
        {
            using var cancellation = new CancellationTokenSource();
            cancellation.CancelAfter(TimeSpan.FromMicroseconds(random.Next(8000)));
            await Cancelled(
                () => SmallModel.Read(_session.GenerateAsync("To be", SamplingOptions.Greedy, null, cancellation.Token)), cancellation.Token);
        }

        await IsUsable();
    }

    [Test]
    public async Task Generation_whose_token_is_cancelled_after_its_end_can_be_read_to_the_end()
    {
        using var cancellation = new CancellationTokenSource();
        TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy, 20, cancellation.Token);
        stream.TryRead(out _);
        while (stream.Statistics is null)
        {
            await Task.Delay(1);
        }

        await cancellation.CancelAsync();
        int read = 0;
        await foreach (GeneratedToken token in stream.WithCancellation(cancellation.Token))
        {
            read++;
        }

        read.Should().BeGreaterThan(18);
    }

    [Test]
    public async Task Loop_that_is_left_early_frees_the_place()
    {
        for (int run = 0; run < 20; run++)
        {
            await foreach (GeneratedToken token in _session.GenerateAsync("To be", SamplingOptions.Greedy))
            {
                break;
            }
        }

        await IsUsable();
    }

    [Test]
    public async Task Loop_that_throws_frees_the_place_and_keeps_its_exception()
    {
        await FluentActions.Awaiting(async () =>
        {
            await foreach (GeneratedToken token in _session.GenerateAsync("To be", SamplingOptions.Greedy))
            {
                throw new InvalidDataException("of the consumer");
            }
        }).Should().ThrowAsync<InvalidDataException>().WithMessage("of the consumer");
        await IsUsable();
    }

    [Test]
    public async Task Stream_that_is_disposed_without_waiting_leaves_the_place_to_the_next()
    {
        for (int run = 0; run < 200; run++)
        {
            TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy);
            stream.TryRead(out _);
            if (run % 3 == 0)
            {
                SpinWait.SpinUntil(() => stream.TryRead(out _));
            }

            stream.Dispose();
        }

        await IsUsable();
    }

    private static async Task Cancelled(Func<Task> action, CancellationToken token) =>
        (await FluentActions.Awaiting(() => action().WaitAsync(TimeSpan.FromSeconds(30))).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(token);

    private async Task IsUsable() => (await SmallModel.Greedy(_session, "To be", 3)).Should().HaveCount(3);
}
