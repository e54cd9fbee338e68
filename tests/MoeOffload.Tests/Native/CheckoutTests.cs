using System.Runtime.Versioning;
using FluentAssertions;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class CheckoutTests : IDisposable
{
    private const string Platform = "linux-x64";

    private readonly string _root = Directory.CreateTempSubdirectory("moe checkout größe ").FullName;

    private string Program => Directory.CreateDirectory(Path.Combine(_root, "src", "App", "bin")).FullName;

    private string Libraries => Directory.CreateDirectory(Path.Combine(_root, "artifacts", "native", Platform)).FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Test]
    public void Program_in_a_checkout_finds_what_was_built_there()
    {
        Mark();

        Checkout.FindLibraries(Program, Platform).Should().Be(Libraries);
    }

    [Test]
    public void Libraries_above_a_program_that_is_in_no_checkout_are_not_used()
    {
        File.WriteAllText(Path.Combine(Libraries, "libmoe-shim.so"), "planted");

        Checkout.FindLibraries(Program, Platform).Should().BeNull();
    }

    [TestCase("MoeOffload.sln")]
    [TestCase("native/llama.cpp.lock")]
    public void Directory_without_one_of_the_projects_files_is_not_a_checkout(string missing)
    {
        Mark();
        File.Delete(Path.Combine(_root, missing));

        Checkout.FindLibraries(Program, Platform).Should().BeNull();
    }

    [TestCase("")]
    [TestCase("artifacts/native/" + Platform)]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public void Checkout_that_everybody_may_write_to_is_not_used(string directory)
    {
        Mark();
        _ = Libraries;
        string open = Path.Combine(_root, directory);
        File.SetUnixFileMode(open, File.GetUnixFileMode(open) | UnixFileMode.OtherWrite);

        Checkout.FindLibraries(Program, Platform).Should().BeNull();
    }

    private void Mark()
    {
        Directory.CreateDirectory(Path.Combine(_root, "native"));
        File.WriteAllText(Path.Combine(_root, "MoeOffload.sln"), string.Empty);
        File.WriteAllText(Path.Combine(_root, "native", "llama.cpp.lock"), string.Empty);
    }
}
