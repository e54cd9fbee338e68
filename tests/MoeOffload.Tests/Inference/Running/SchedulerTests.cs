using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Inference;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Running;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>When the scheduler's thread works, and when it sleeps.</summary>
[TestFixture]
public sealed class SchedulerTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly GenerationRequest s_endless = new()
    {
        Prompt = "To be",
        Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
    };

    private Scheduler _scheduler = null!;

    [SetUp]
    public void MakeScheduler()
    {
        // The model is loaded first, because it loads the native libraries, which the parameters ask for their defaults.
        ModelHandle model = SmallModel.Shared.Native.Handle;
        ContextParameters parameters = new(SmallModel.Context(4096), expertsOffloaded: false);
        _scheduler = new Scheduler(Make, Make(), parameters, drafts: null, drafter: null, model, NullLogger.Instance);

        NativeContext Make() => NativeContext.Create(model, parameters.ToSettings(), NullLogger.Instance);
    }

    [TearDown]
    public async Task StopScheduler()
    {
        _scheduler.Stop();
        await _scheduler.Ended.WaitAsync(s_patience);
    }

    [Test]
    public async Task Thread_sleeps_while_a_stream_stalls_and_is_woken_once_its_reader_has_made_room()
    {
        TokenChannel channel = Channels.Make(SmallModel.Shared, _scheduler, s_endless);
        channel.TryRead(out _);
        await Until(() => channel.Room == 0);
        long waits = await WaitUntilAsleep();

        // A frame loop that takes a few tokens each time wakes no thread until it has taken half of the tokens.
        for (int taken = 0; taken < (TokenQueue.Capacity / 2) - 1; taken++)
        {
            channel.TryRead(out _).Should().BeTrue();
        }

        await Task.Delay(300);
        _scheduler.WaitCount.Should().Be(waits, "nothing wakes the thread");
        channel.TryRead(out _).Should().BeTrue();
        await Until(() => channel.Room == 0);
        (await WaitUntilAsleep()).Should().BeLessThanOrEqualTo(waits + 1, "one wake-up is enough");
        channel.Close();
    }

    [Test]
    public async Task Deadline_of_a_stream_that_stalls_wakes_the_thread()
    {
        TokenChannel channel = Channels.Make(SmallModel.Shared, _scheduler, s_endless with { Deadline = TimeSpan.FromSeconds(2) });
        channel.TryRead(out _);
        await channel.Ended.WaitAsync(s_patience);
        channel.StopReason.Should().Be(StopReason.Deadline);
    }

    [Test]
    public async Task Waiting_reader_has_all_tokens_before_something_that_takes_long()
    {
        TokenChannel channel = Channels.Make(SmallModel.Shared, _scheduler, s_endless with { MaxTokens = 3000 });
        channel.TryRead(out _);
        Task reading = Task.Run(async () =>
        {
            while (!channel.IsCompleted)
            {
                if (!channel.TryRead(out _) && !channel.IsCompleted)
                {
                    await channel.WaitAsync();
                }
            }
        });
        for (int i = 0; i < 20; i++)
        {
            bool isEmpty = false;
            await _scheduler.RunAsync(_ => isEmpty = SpinWait.SpinUntil(() => channel.Room == TokenQueue.Capacity, s_patience)).WaitAsync(s_patience * 2);
            isEmpty.Should().BeTrue("the reader was told of the tokens before");
            await Task.Delay(5);
        }

        channel.Close();
        await reading.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(s_patience);
    }

    // Wake-ups of what came before may still be on their way.
    private async Task<long> WaitUntilAsleep()
    {
        long before;
        int checks = 0;
        do
        {
            checks++.Should().BeLessThan(50, "the thread must sleep while nothing happens");
            before = _scheduler.WaitCount;
            await Task.Delay(300);
        }
        while (_scheduler.WaitCount != before);
        return before;
    }

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(s_patience);
        while (!condition())
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
