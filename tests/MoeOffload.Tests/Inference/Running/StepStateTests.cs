using FluentAssertions;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>A thread that hangs in a step can be abandoned, once and for good.</summary>
[TestFixture]
public sealed class StepStateTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Test]
    public void Thread_outside_a_step_is_not_abandoned()
    {
        var state = new StepState(new StepRegistry());
        state.Current.Should().BeNull();
        state.TryAbandon(0).Should().BeFalse();
        state.Begin();
        long first = state.Current!.Value;
        state.End().Should().BeTrue();
        state.TryAbandon(first).Should().BeFalse();
        state.Begin();
        state.TryAbandon(first).Should().BeFalse("another step runs");
        state.End().Should().BeTrue("the thread is still its owner's");
    }

    [Test]
    public void Thread_that_was_abandoned_stays_abandoned_whoever_asks_again()
    {
        var state = new StepState(new StepRegistry());
        state.Begin();
        long number = state.Current!.Value;
        state.TryAbandon(number).Should().BeTrue();
        state.TryAbandon(number).Should().BeFalse("one caller abandons it");
        state.Current.Should().BeNull();
        state.Registry.AbandonedCount.Should().Be(1);
        state.End().Should().BeFalse("nothing is the thread's own any more");
        state.Registry.AbandonedCount.Should().Be(0, "the thread has come back");
    }

    [Test]
    public void Only_step_that_runs_is_known_unless_a_thread_of_another_has_just_ended()
    {
        var registry = new StepRegistry();
        StepState[] states = [new(registry), new(registry)];
        registry.IsOnlyOne.Should().BeFalse();
        states[0].Begin();
        registry.IsOnlyOne.Should().BeTrue();
        states[1].Begin();
        registry.IsOnlyOne.Should().BeFalse();
        states[1].TryAbandon(states[1].Current!.Value);
        registry.IsOnlyOne.Should().BeTrue();
        registry.OnThreadLost();
        registry.IsOnlyOne.Should().BeFalse();
    }

    [Test]
    public void Begin_inside_a_step_is_the_same_step()
    {
        var state = new StepState(new StepRegistry());
        state.Begin();
        long? number = state.Current;
        state.Begin();
        state.Current.Should().Be(number);
        state.End().Should().BeTrue();
        state.Current.Should().BeNull();
    }

    [Test]
    public async Task Step_that_ends_does_not_outlast_any_wait()
    {
        var state = new StepState(new StepRegistry());
        state.Begin();
        long number = state.Current!.Value;
        Task<bool> outlasts = state.OutlastsAsync(number, 2 * s_patience);
        state.End();
        state.Begin();
        (await outlasts.WaitAsync(s_patience)).Should().BeFalse("the step that runs is another one");
        (await state.OutlastsAsync(state.Current!.Value, s_soon)).Should().BeTrue();
        state.End();
        state.Longest.Should().BeGreaterThanOrEqualTo(s_soon);
    }
}
