using FluentAssertions;
using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using MoeOffload.Tests.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>No reader waits for a step that is larger than those before, or for one that does not come.</summary>
[TestFixture]
public sealed class ReaderUpdatesTests
{
    [Test]
    public void Readers_are_told_before_larger_steps_and_before_the_thread_waits()
    {
        var output = new TestOutput();
        var updates = new ReaderUpdates([new SequenceRequest([1], new RequestLimits(), output, pace: null)]);
        updates.OnStepBegins(1);
        output.HandOverCount.Should().Be(1, "the step is larger than none");
        updates.OnStepBegins(1);
        output.HandOverCount.Should().Be(1);
        updates.OnStepBegins(512);
        output.HandOverCount.Should().Be(2);
        updates.OnStepBegins(2);
        output.HandOverCount.Should().Be(2);
        updates.OnStepBegins(0);
        output.HandOverCount.Should().Be(3);
    }
}
