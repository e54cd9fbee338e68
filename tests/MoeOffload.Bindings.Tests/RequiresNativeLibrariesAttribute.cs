using NUnit.Framework;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace MoeOffload.Bindings.Tests;

/// <summary>Skips a test, with the reason, if the native build has not installed its libraries.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresNativeLibrariesAttribute : NUnitAttribute, IApplyToTest
{
    public void ApplyToTest(Test test)
    {
        if (!File.Exists(ExportTests.PathOf("moe-shim")))
        {
            test.Skip("The native libraries are missing: ./build.sh native installs them.");
        }
    }
}
