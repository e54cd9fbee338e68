using FluentAssertions;
using MoeOffload.Measurement.Benches;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Benches;

/// <summary>Compares measures of logits with values that were calculated by hand.</summary>
[TestFixture]
public sealed class LogitsTests
{
    [Test]
    public void Log_probability_is_that_of_the_softmax() =>
        Logits.LogProbability([1, 1 + MathF.Log(3)], 1).Should().BeApproximately(Math.Log(0.75), 1e-6);

    // 0.5 ln(0.5 / 0.9) + 0.5 ln(0.5 / 0.1).
    [Test]
    public void Divergence_is_of_the_others_from_the_first()
    {
        (double divergence, double most, bool same) = Logits.Compare([0, 0], [MathF.Log(9), 0]);

        divergence.Should().BeApproximately(0.5108256, 1e-6);
        most.Should().BeApproximately(Math.Log(9), 1e-6);
        same.Should().BeTrue();
    }

    [Test]
    public void Divergence_does_not_see_what_the_softmax_does_not()
    {
        (double divergence, double most, bool same) = Logits.Compare([1, 2, 3], [11, 12, 13]);

        divergence.Should().BeApproximately(0, 1e-9);
        most.Should().Be(10);
        same.Should().BeTrue();
        Logits.Compare([0, 1], [1, 0]).SameTop.Should().BeFalse();
    }
}
