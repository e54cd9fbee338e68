using FluentAssertions;
using MoeOffload.Measurement.Statistics;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Statistics;

/// <summary>Statistics against values that are known.</summary>
[TestFixture]
public sealed class StatisticTests
{
    private static readonly double[] s_values = [27.5, 21.0, 19.0, 23.6, 17.0];
    private static readonly double[] s_others = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8];

    [TestCase("count", 5)]
    [TestCase("sum", 108.1)]
    [TestCase("mean", 21.62)]
    [TestCase("min", 17)]
    [TestCase("max", 27.5)]
    [TestCase("median", 21)]
    [TestCase("p95", 26.72)]
    [TestCase("p99", 27.344)]
    public void Statistics_of_one_array_are_those_of_numpy(string name, double expected) =>
        Statistic.Compute(name, s_values).Should().BeApproximately(expected, 1e-9);

    // Quantiles of Student's t as tables print them.
    [TestCase(1, 12.7062)]
    [TestCase(2, 4.3027)]
    [TestCase(3, 3.1824)]
    [TestCase(4, 2.7764)]
    [TestCase(10, 2.2281)]
    [TestCase(30, 2.0423)]
    [TestCase(120, 1.9799)]
    public void Student_t_is_that_of_tables(int freedom, double expected) =>
        StudentT.Quantile(0.975, freedom).Should().BeApproximately(expected, 5e-5);

    // Welch's statistic has 5.57 degrees of freedom here, rounded down to 5: t is 2.5706, the standard error 2.0022.
    [Test]
    public void Difference_of_means_has_Welchs_interval()
    {
        Interval interval = Statistic.DifferenceOfMeans(s_values, s_others);

        interval.Estimate.Should().BeApproximately(21.62 - (166.0 / 7), 1e-9);
        (interval.High - interval.Estimate).Should().BeApproximately(2.5706 * 2.0022, 1e-3);
        (interval.Estimate - interval.Low).Should().BeApproximately(2.5706 * 2.0022, 1e-3);
    }

    [Test]
    public void Bootstrap_is_the_same_each_time_and_narrows_with_more_numbers()
    {
        double[] few = [.. Enumerable.Range(0, 8).Select(i => 10.0 + i)];
        double[] many = [.. Enumerable.Range(0, 800).Select(i => 10.0 + (i % 8))];

        Interval first = Statistic.DifferenceOfMedians(few, [.. few.Select(value => value - 5)]);
        Interval again = Statistic.DifferenceOfMedians(few, [.. few.Select(value => value - 5)]);
        Interval narrow = Statistic.DifferenceOfMedians(many, [.. many.Select(value => value - 5)]);

        again.Should().Be(first);
        first.Estimate.Should().Be(5);
        first.Low.Should().BeLessThan(5);
        first.High.Should().BeGreaterThan(5);
        (narrow.High - narrow.Low).Should().BeLessThan((first.High - first.Low) / 2);
    }

    [Test]
    public void Ratio_of_medians_is_of_the_first_over_the_second()
    {
        Statistic.Compute("ratio_of_medians", [4, 6, 8], [3, 3]).Should().Be(2);
        Statistic.Compute("ratio_of_medians.low", [4, 6, 8], [3, 3]).Should().BeApproximately(4 / 3.0, 1e-9);
        Statistic.Compute("ratio_of_medians.high", [4, 6, 8], [3, 3]).Should().BeApproximately(8 / 3.0, 1e-9);
    }

    [Test]
    public void Perplexity_weighs_windows_by_their_tokens()
    {
        Statistic.Compute("perplexity", [10, 30], [10, 10]).Should().BeApproximately(Math.Exp(2), 1e-9);
        Statistic.Compute("perplexity", [10, 60], [10, 20]).Should().BeApproximately(Math.Exp(70 / 30.0), 1e-9);
    }

    [Test]
    public void What_cannot_be_computed_is_an_error()
    {
        FluentActions.Invoking(() => Statistic.Compute("mode", [1])).Should().Throw<ArgumentException>().WithMessage("*'mode' is not a valid statistic*median*");
        FluentActions.Invoking(() => Statistic.Compute("median", [])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Statistic.Compute("difference_of_means", [1, 2])).Should().Throw<ArgumentException>();
        Statistic.DifferenceOfMeans([1], [2, 3]).Low.Should().Be(double.NaN);
        Statistic.DifferenceOfMedians([1, 2], [3]).High.Should().Be(double.NaN);
    }
}
