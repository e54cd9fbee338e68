using MoeOffload.Bindings.Generator.Clang;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace MoeOffload.Bindings.Tests;

/// <summary>Counts a test as skipped, with the reason, where clang is not installed.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresClangAttribute : NUnitAttribute, IApplyToTest
{
    private static readonly bool s_isInstalled = new ClangTool("clang").IsAvailable;

    public void ApplyToTest(Test test)
    {
        if (!s_isInstalled)
        {
            test.Skip("clang is not installed.");
        }
    }
}
