using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A short soak: <c>bench soak SECONDS</c> runs it for longer.</summary>
[TestFixture, NonParallelizable]
public sealed class SoakTests
{
    [Test]
    public async Task Requests_of_all_kinds_at_once_lose_nothing_and_mix_nothing_up()
    {
        using MoeModel model = MoeModel.Load(Soak.Model.Path);
        SoakReport report = await Soak.RunAsync(model, TimeSpan.FromSeconds(4));
        report.Print(TestContext.Out);
        report.Faults.Should().BeEmpty();
        report.Outcomes.Keys.Should().Contain(["whole, MaxTokens", "cancelled, as asked", "wrong grammar, refused", "too long, refused"]);
        report.Outcomes.Keys.Should().Contain(key => key.EndsWith("queue full", StringComparison.Ordinal));
        report.Sessions.Should().AllSatisfy(session => session.RunningCount.Should().Be(0));
        report.Sessions.Sum(session => session.PrefixHits).Should().BePositive();
    }
}
