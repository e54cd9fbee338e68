using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Short soaks: <c>bench soak SECONDS</c> runs longer ones.</summary>
[TestFixture, NonParallelizable]
public sealed class SoakTests
{
    [TestCase(false, 4)]
    [TestCase(true, 60)]
    public async Task Requests_of_all_kinds_at_once_lose_nothing_and_mix_nothing_up(bool isTrained, int seconds)
    {
        using MoeModel model = MoeModel.Load(isTrained ? DemoModel.Path : Soak.Model.Path);
        SoakReport report = await Soak.RunAsync(model, TimeSpan.FromSeconds(seconds), isTrained: isTrained);
        report.Print(TestContext.Out);
        report.Faults.Should().BeEmpty();
        report.Missing.Should().BeEmpty();
        report.IsMemoryFlat.Should().BeTrue();
        report.UnclearChoices.Count.Should().BeLessThan(report.Texts / 10, "a text is compared only up to such a choice");
        report.Sessions.Should().AllSatisfy(session => session.RunningCount.Should().Be(0));
        report.Sessions.Sum(session => session.PrefixHits).Should().BePositive();
    }
}
