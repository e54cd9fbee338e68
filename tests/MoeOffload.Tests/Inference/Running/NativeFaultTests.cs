using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Inference;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Running;
using MoeOffload.Native;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>Any native call of a step may fail, and llama.cpp may abort in it: each request ends all the same, and the session goes on.</summary>
[TestFixture]
public sealed class NativeFaultTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static readonly int[] s_prompt = [.. Enumerable.Range(20, 40)];

    [TestCase(true, true)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    public async Task Every_request_ends_whichever_native_call_fails(bool isAbort, bool isCaching)
    {
        moe_status status = isAbort ? moe_status.MOE_STATUS_ABORTED : moe_status.MOE_STATUS_OUT_OF_MEMORY;
        int position = 0;
        while (await IsReached(position, status, isCaching))
        {
            position++;
        }

        TestContext.Out.WriteLine($"{position} native calls failed in turn");
        position.Should().BeGreaterThan(isCaching ? 40 : 20);
    }

    private static async Task<bool> IsReached(int position, moe_status status, bool isCaching)
    {
        ContextParameters parameters = new(
            SmallModel.Context(512, sequences: 2) with { PrefixCache = new PrefixCacheOptions { Enabled = isCaching, HostBytes = isCaching ? 1 << 24 : 0 } },
            expertsOffloaded: false);
        var faults = new FaultAt(position, status);
        var scheduler = new Scheduler(Make, Make(), parameters, drafts: null, drafter: null, SmallModel.Shared.Native.Handle, NullLogger.Instance);
        await RunRequests(scheduler);
        bool isReached = faults.IsReached;
        faults.Stop();

        TokenChannel last = Channels.Make(SmallModel.Shared, scheduler, new GenerationRequest { PromptTokens = s_prompt, MaxTokens = 2 });
        (int[] tokens, _) = await Channels.Read(last).WaitAsync(s_patience);
        tokens.Should().HaveCount(2, "the session goes on after call {0} failed", position);
        await last.Ended.WaitAsync(s_patience);
        SessionStatistics statistics = scheduler.ReadStatistics();
        (statistics.RunningCount, statistics.QueuedCount).Should().Be((0, 0));
        scheduler.Stop();
        await scheduler.Ended.WaitAsync(s_patience);
        return isReached;

        NativeContext Make()
        {
            NativeContext context = NativeContext.Create(SmallModel.Shared.Native.Handle, parameters.ToSettings(), NullLogger.Instance);
            context.FaultInjection = faults.Next;
            return context;
        }
    }

    // Of all kinds: with log-probabilities, from a prefix that runs, is kept or comes back from system memory, with a shift, and cancelled.
    private static async Task RunRequests(Scheduler scheduler)
    {
        var sampled = new GenerationRequest { PromptTokens = s_prompt, Sampling = new SamplingOptions { Seed = 1, TopLogProbabilities = 1 }, MaxTokens = 3 };
        int[] other = [.. Enumerable.Range(100, 40)];
        int[] full = [.. Enumerable.Range(0, 254)];
        await Task.WhenAll(Run(sampled), Run(sampled with { PromptTokens = [.. s_prompt[..30], 7, 8] }));
        await Run(sampled with { PromptTokens = other });
        await Run(sampled with { PromptTokens = full, ContextFull = ContextFullAction.Shift, MaxTokens = 4 });
        await Run(sampled);
        TokenChannel cancelled = Channels.Make(SmallModel.Shared, scheduler, sampled with { PromptTokens = other, MaxTokens = null });
        await End(cancelled, async () =>
        {
            await cancelled.StartAsync();
            cancelled.Cancel();
        });

        Task Run(GenerationRequest request)
        {
            TokenChannel channel = Channels.Make(SmallModel.Shared, scheduler, request);
            return End(channel, () => Channels.Read(channel));
        }
    }

    private static async Task End(TokenChannel channel, Func<Task> read)
    {
        try
        {
            await read().WaitAsync(s_patience);
        }
        catch (InferenceException)
        {
            // The call that fails may be this request's.
        }

        await channel.Ended.WaitAsync(s_patience);
    }

    /// <summary>Replaces the status of one native call, counted over all contexts.</summary>
    private sealed class FaultAt(int position, moe_status status)
    {
        private int _calls;
        private volatile bool _isStopped;

        public bool IsReached => Volatile.Read(ref _calls) > position;

        public void Stop() => _isStopped = true;

        public moe_status Next(moe_status actual) => Interlocked.Increment(ref _calls) == position + 1 && !_isStopped ? status : actual;
    }
}
