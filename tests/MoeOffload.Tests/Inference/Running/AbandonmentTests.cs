using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>
/// A native call that hung, and whose thread was abandoned, comes back after everything was disposed. In a process of its own, which a
/// call that touches freed memory ends.
/// </summary>
[TestFixture]
[Platform("Linux")]
public sealed class AbandonmentTests
{
    [TestCase("sampling")]
    [TestCase("drafting")]
    [TestCase("saving")]
    [TestCase("embedding")]
    public void Call_that_comes_back_after_it_was_abandoned_touches_nothing_that_was_freed(string work)
    {
        PeerResult result = DotNet.Run(
            TestContext.CurrentContext.WorkDirectory,
            [Path.Combine(AppContext.BaseDirectory, "MoeOffload.Abandonment.dll"), work],

            // Freed memory is overwritten, so that its use is detected.
            new Dictionary<string, string> { ["MALLOC_PERTURB_"] = "165" });
        result.ExitCode.Should().Be(0, result.Errors);
        result.Text.Should().Be("8 tokens");
    }
}
