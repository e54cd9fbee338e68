using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Shared;
using NUnit.Framework;

namespace MoeOffload.Tests;

/// <summary>Sessions and adapters are made on other threads: the caller may stop waiting for them, and for their end.</summary>
[TestFixture]
public sealed class BackgroundCallTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task What_is_made_after_its_caller_has_left_is_disposed()
    {
        using var cancellation = new CancellationTokenSource();
        using var made = new Made();
        Task<Made> making = BackgroundCall.RunAsync(made.Make, cancellation.Token);
        made.Begun.Wait(s_patience).Should().BeTrue();

        await cancellation.CancelAsync();
        (await making.Awaiting(it => it.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(cancellation.Token);
        made.Disposed.IsSet.Should().BeFalse("it is not made yet");

        made.Finish.Set();
        made.Disposed.Wait(s_patience).Should().BeTrue();
    }

    [Test]
    public async Task Failure_reaches_the_caller() =>
        await FluentActions.Awaiting(() => BackgroundCall.RunAsync<Made>(() => throw new InferenceException("no memory"), CancellationToken.None))
            .Should().ThrowAsync<InferenceException>().WithMessage("no memory");

    [Test]
    public async Task Session_and_adapter_of_a_cancelled_token_are_not_made()
    {
        var cancelled = new CancellationToken(canceled: true);
        using var open = new CancellationTokenSource();

        await FluentActions.Awaiting(() => SmallModel.Shared.CreateSessionAsync(cancellationToken: cancelled)).Should().ThrowAsync<OperationCanceledException>();
        await FluentActions.Awaiting(() => SmallModel.Shared.LoadAdapterAsync("no file", cancelled)).Should().ThrowAsync<OperationCanceledException>();
        await using GenerationSession session = await SmallModel.Shared.CreateSessionAsync(SmallModel.Context(), open.Token);
        session.ContextLength.Should().Be(256);
    }

    [Test]
    public async Task Model_and_adapter_can_be_disposed_without_blocking_the_caller()
    {
        MoeModel model = MoeModel.Load(SmallModel.File.Path);
        LoraAdapter adapter = await model.LoadAdapterAsync(TinyAdapters.Write(SmallModel.File, TinyAdapters.IsExperts));

        await adapter.DisposeAsync().AsTask().WaitAsync(s_patience);
        adapter.Handle.IsClosed.Should().BeTrue();
        await model.DisposeAsync().AsTask().WaitAsync(s_patience);
        model.Native.Handle.IsClosed.Should().BeTrue();
        await model.DisposeAsync();
        model.Invoking(it => it.CreateSession()).Should().Throw<ObjectDisposedException>();
    }

    private sealed class Made : IDisposable
    {
        public ManualResetEventSlim Begun { get; } = new();

        public ManualResetEventSlim Finish { get; } = new();

        public ManualResetEventSlim Disposed { get; } = new();

        public Made Make()
        {
            Begun.Set();
            Finish.Wait(s_patience);
            return this;
        }

        // The events have no handles, since nothing asks for any.
        public void Dispose() => Disposed.Set();
    }
}
