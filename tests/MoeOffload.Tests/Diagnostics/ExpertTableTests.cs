using FluentAssertions;
using MoeOffload.Diagnostics;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics;

/// <summary>Checks the statistics of an activity with given counts.</summary>
[TestFixture]
public sealed class ExpertTableTests
{
    // Layers of four experts; the first has no router.
    private static readonly ExpertActivity s_activity = new(4, [0, 0, 0, 0, 8, 0, 4, 4, 1, 1, 1, 1], [0, 8, 2]);

    [Test]
    public void Table_has_a_line_for_each_layer_that_has_chosen() =>
        s_activity.ToString().ReplaceLineEndings("\n").Should().Be(
            """
            layer  tokens  unused  busiest   share  experts 0 to 3
                1       8       1        0  50.0 %  |@ ++|
                2       2       0        0  25.0 %  |@@@@|

            """.ReplaceLineEndings("\n"));

    [Test]
    public void Shares_of_a_layer_are_parts_of_its_choices()
    {
        Enumerable.Range(0, 4).Select(expert => s_activity.GetShare(1, expert)).Should().Equal(0.5, 0, 0.25, 0.25);
        Enumerable.Range(0, 4).Select(expert => s_activity.GetShare(0, expert)).Should().OnlyContain(share => share == 0);
        s_activity.Layers.Should().Equal(1, 2);
        s_activity.TokenCount.Should().Be(8);
    }

    [TestCase(-1, 0)]
    [TestCase(3, 0)]
    [TestCase(int.MaxValue, 0)]
    [TestCase(1, -1)]
    [TestCase(1, 4)]
    public void Layers_and_experts_that_are_not_there_are_refused(int layer, int expert)
    {
        FluentActions.Invoking(() => s_activity.GetShare(layer, expert)).Should().Throw<ArgumentOutOfRangeException>()
            .Which.ParamName.Should().Be(expert == 0 ? "layer" : "expert");
        if (expert == 0)
        {
            FluentActions.Invoking(() => s_activity.GetTokenCount(layer)).Should().Throw<ArgumentOutOfRangeException>();
            FluentActions.Invoking(() => s_activity.GetCounts(layer).Length).Should().Throw<ArgumentOutOfRangeException>();
        }
    }

    [Test]
    public void Difference_with_a_later_or_another_models_activity_is_refused()
    {
        var none = new ExpertActivity(4, new long[12], new long[3]);

        Counts(s_activity.Since(none)).Should().Equal(Counts(s_activity));
        FluentActions.Invoking(() => none.Since(s_activity)).Should().Throw<ArgumentException>().WithMessage("*higher counts than this one*");
        FluentActions.Invoking(() => s_activity.Since(new ExpertActivity(3, new long[12], new long[4]))).Should()
            .Throw<ArgumentException>().WithMessage("*4 layers of 3 experts*3 of 4*");
        FluentActions.Invoking(() => s_activity.Since(null!)).Should().Throw<ArgumentNullException>();
    }

    private static long[] Counts(ExpertActivity activity) =>
        [.. Enumerable.Range(0, activity.LayerCount).SelectMany(layer => activity.GetCounts(layer).ToArray())];
}
