using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>Deletes the cache of packages after all tests.</summary>
[SetUpFixture]
public sealed class SharedCache
{
    [OneTimeTearDown]
    public void Delete() => Packages.DeleteCache();
}
