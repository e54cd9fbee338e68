using FluentAssertions;
using MoeOffload.Benchmarks;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

/// <summary>The tables about shared cores in the white paper are computed from the published samples.</summary>
[TestFixture]
public sealed class SharedCoresTests
{
    private static readonly List<SharedSample> s_samples = SharedSample.Read(Path.Combine(Repository.Root, "docs", "measurements", "shared-cores.jsonl"));

    [Test]
    public void Tables_are_those_of_the_samples() => Repository.Read("docs/whitepaper.md").Should().Contain(SharedReport.Write(s_samples));

    [Test]
    public void Another_sample_changes_the_tables()
    {
        List<SharedSample> other = [.. s_samples.Select(sample => sample with { Rounds = [.. sample.Rounds.Select(value => sample.Program == SharedSample.Ours ? value * 1.1 : value)] })];
        Repository.Read("docs/whitepaper.md").Should().NotContain(SharedReport.Write(other));
    }
}
