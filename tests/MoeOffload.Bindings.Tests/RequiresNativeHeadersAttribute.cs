using NUnit.Framework;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace MoeOffload.Bindings.Tests;

/// <summary>Counts a test as skipped, with the reason, where neither the native build nor a checkout gives llama.cpp's headers.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class RequiresNativeHeadersAttribute : NUnitAttribute, IApplyToTest
{
    public void ApplyToTest(Test test)
    {
        if (Checkout.Headers is null)
        {
            test.Skip("llama.cpp's headers are missing: ./build.sh native installs them, or LLAMA_CPP_SOURCE_DIR names a checkout.");
        }
    }
}
