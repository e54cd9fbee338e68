using System.Reflection;
using System.Runtime.InteropServices;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
[RequiresNativeLibraries]
internal sealed class ExportTests
{
    /// <summary>The file of a library, as this platform names it.</summary>
    public static string PathOf(string library) => Path.Combine(
        Checkout.Libraries,
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so");

    [Test]
    public void Every_function_is_exported_by_the_library_that_it_is_imported_from()
    {
        IEnumerable<string> missing =
            from function in GeneratedTypes.Functions
            group function.Name by function.GetCustomAttribute<DllImportAttribute>()!.Value into library
            let handle = NativeLibrary.Load(PathOf(library.Key))
            from name in library
            where !NativeLibrary.TryGetExport(handle, name, out _)
            select $"{library.Key}: {name}";

        missing.Should().BeEmpty();
    }
}
