using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace MoeOffload.Bindings.Tests;

internal static class SkippedTests
{
    /// <summary>Has a test counted as skipped, with the reason.</summary>
    public static void Skip(this Test test, string reason)
    {
        if (test.RunState != RunState.NotRunnable)
        {
            // The adapter leaves a test in the state Skipped out of the counts.
            test.RunState = RunState.Ignored;
            test.Properties.Set(PropertyNames.SkipReason, reason);
        }
    }
}
