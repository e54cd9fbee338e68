using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Fixtures;
using MoeOffload.Inference;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Speculation;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>A context that is lost is freed, and another one takes its place.</summary>
[TestFixture]
public sealed class ContextRunnerTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    // An exception as the shim reports an abort of llama.cpp's, between two steps.
    private static readonly Action<CacheExecutor> s_lose = _ => throw new NativeAbortException("made up");

    [Test]
    public async Task Cancel_after_the_last_step_of_a_context_leaves_its_memory_alone()
    {
        ContextParameters parameters = Parameters(SmallModel.Context(4096) with { BatchSize = 16 });
        NativeContext lost = Make(SmallModel.Shared, parameters);
        TokenChannel? channel = null;
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var scheduler = new Scheduler(Remake, lost, parameters, drafts: null, drafter: null, SmallModel.Shared.Native.Handle, NullLogger.Instance);

        // From when it runs until its long prompt is computed, each round computes a step.
        channel = Channels.Make(SmallModel.Shared, scheduler, new GenerationRequest { PromptTokens = [.. Enumerable.Range(0, 4000).Select(i => i % 200)] });
        channel.TryRead(out _);
        SpinWait.SpinUntil(() => scheduler.ReadStatistics().RunningCount == 1, s_patience).Should().BeTrue();
        Task losing = scheduler.RunAsync(s_lose);

        await cancelled.Task.WaitAsync(s_patience);
        await FluentActions.Awaiting(() => losing).Should().ThrowAsync<InferenceException>();
        channel.Statistics!.GeneratedTokens.Should().Be(0, "its prompt must still have been computed");
        scheduler.Stop();
        await scheduler.Ended.WaitAsync(s_patience);

        NativeContext Remake()
        {
            try
            {
                FluentActions.Invoking(lost.RequestStop).Should().Throw<ObjectDisposedException>("the context is freed by now");
                channel!.Cancel();
                cancelled.SetResult();
            }
            catch (Exception exception)
            {
                cancelled.SetException(exception);
            }

            return Make(SmallModel.Shared, parameters);
        }
    }

    [Test]
    public async Task Guesses_go_on_with_the_context_that_is_made_again()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Glm4Moe().Path, new ModelOptions { LoadMtpLayers = true });
        ContextParameters parameters = Parameters(
            SmallModel.Context(512) with { Speculation = new SpeculationOptions { UseMtpLayers = true, MaxDraftTokens = 3, MinAcceptanceRate = 0 } });
        NativeContext first = Make(model, parameters);
        MtpLayers layers = MtpLayers.Create(model, parameters, first, NullLogger.Instance);
        var scheduler = new Scheduler(() => Make(model, parameters), first, parameters, parameters.Speculation!.ToLimits(), layers, model.Native.Handle, NullLogger.Instance);
        GenerationRequest request = new() { Prompt = "To be", Sampling = SamplingOptions.Greedy, MaxTokens = 60 };
        (int[] expected, GenerationStatistics before) = await Channels.Read(Channels.Make(model, scheduler, request));

        await FluentActions.Awaiting(() => scheduler.RunAsync(s_lose)).Should().ThrowAsync<InferenceException>();

        (int[] found, GenerationStatistics after) = await Channels.Read(Channels.Make(model, scheduler, request));
        found.Should().Equal(expected);
        after.CachedPromptTokens.Should().Be(0, "the KV cache is another one");
        after.AcceptedTokens.Should().Be(before.AcceptedTokens).And.BePositive();
        scheduler.Stop();
        await scheduler.Ended.WaitAsync(s_patience);
    }

    [Test]
    public async Task Draft_model_computes_with_the_threads_of_the_context_that_is_made_again()
    {
        ContextParameters parameters = Parameters(
            SmallModel.Context(512) with { Speculation = new SpeculationOptions { DraftModel = SmallModel.Shared, MinAcceptanceRate = 0 }, Threads = new ThreadOptions { Decode = 3, Prompt = 3 } });
        NativeContext current = Make(SmallModel.Shared, parameters);
        DraftModel draft = DraftModel.Create(SmallModel.Shared, SmallModel.Shared, parameters.Options, current, NullLogger.Instance);
        var scheduler = new Scheduler(Remake, current, parameters, parameters.Speculation!.ToLimits(), draft, SmallModel.Shared.Native.Handle, NullLogger.Instance);
        GenerationRequest request = new() { Prompt = "To be", Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, MaxTokens = 60 };
        await Channels.Read(Channels.Make(SmallModel.Shared, scheduler, request));
        draft.ThreadCount.Should().Be(3);

        for (int count = 2; count >= 1; count--)
        {
            await FluentActions.Awaiting(() => scheduler.RunAsync(s_lose)).Should().ThrowAsync<InferenceException>();
            await scheduler.RunAsync(_ => current.UseThreads(count));
            (_, GenerationStatistics statistics) = await Channels.Read(Channels.Make(SmallModel.Shared, scheduler, request));

            statistics.AcceptedTokens.Should().BePositive();
            draft.ThreadCount.Should().Be(count).And.Be(current.ThreadCount);
        }

        scheduler.Stop();
        await scheduler.Ended.WaitAsync(s_patience);

        NativeContext Remake() => current = Make(SmallModel.Shared, parameters);
    }

    private static ContextParameters Parameters(ContextOptions options)
    {
        // The defaults are llama.cpp's, which is loaded with the first model.
        _ = SmallModel.Shared;
        return new ContextParameters(options, expertsOffloaded: false);
    }

    private static NativeContext Make(MoeModel model, ContextParameters parameters) =>
        NativeContext.Create(model.Native.Handle, parameters.ToSettings(), NullLogger.Instance);
}
