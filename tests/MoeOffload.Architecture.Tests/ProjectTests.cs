using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Architecture.Tests;

/// <summary>The projects refer to each other downwards only.</summary>
internal sealed class ProjectTests
{
    // Each may refer to those before it on lower steps; those of one step know nothing of each other.
    private static readonly string[][] s_steps = [["MoeOffload", "MoeOffload.Aspire", "MoeOffload.Aspire.Hosting"], ["MoeOffload.Catalog", "MoeOffload.Extensions.AI", "MoeOffload.Games"], ["MoeOffload.Hosting", "MoeOffload.Server", "MoeOffload.Measurement"], ["MoeOffload.Cli"]];

    private static IEnumerable<string> All => s_steps.SelectMany(step => step);

    [TestCaseSource(nameof(All))]
    public void Project_refers_to_lower_ones_only(string project)
    {
        IEnumerable<string> lower = s_steps.TakeWhile(step => !step.Contains(project)).SelectMany(step => step);

        Projects.Read(project).ReferencedAssemblies.Where(name => name.StartsWith("MoeOffload", StringComparison.Ordinal))
            .Should().BeSubsetOf(lower);
    }
}
