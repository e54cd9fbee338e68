using System.Security.Cryptography;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>The native build takes llama.cpp's source from a bundle for another host, and only as it was bundled.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BundledSourceTests : IDisposable
{
    private const string Header = "include/llama.h";

    private readonly string _directory = Directory.CreateTempSubdirectory("moe source überall ").FullName;

    [SetUp]
    public void Bundle()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "include"));
        File.WriteAllText(Path.Combine(_directory, Header), "// llama.cpp");
        WriteManifest(File.ReadLines(Path.Combine(NativeBuild.Repository, "native", "llama.cpp.lock"))
            .Single(line => line.StartsWith("integrity", StringComparison.Ordinal)).Split('=', 2)[1].Trim());
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void Source_as_it_was_bundled_is_taken()
    {
        PeerResult result = Take();

        result.ExitCode.Should().Be(0, result.Errors);
        result.Text.Trim().Should().Be(_directory);
    }

    [TestCase("// something else")]
    [TestCase(null)]
    public void Changed_or_missing_file_is_named(string? content)
    {
        string header = Path.Combine(_directory, Header);
        File.Delete(header);
        File.WriteAllText(Path.Combine(_directory, "include", "other.h"), "// other");
        WriteLine("include/other.h");
        if (content is not null)
        {
            File.WriteAllText(header, content);
        }

        PeerResult result = Take();

        result.ExitCode.Should().NotBe(0);
        result.Errors.Should().Contain(Header);
    }

    [Test]
    public void Source_of_another_llama_cpp_is_refused()
    {
        WriteManifest("sha512-another");

        PeerResult result = Take();

        result.ExitCode.Should().NotBe(0);
        result.Errors.Should().Contain("another llama.cpp");
    }

    private PeerResult Take() => CMake.Run("source.cmake", $"LLAMA_CPP_SOURCE_DIR={_directory}");

    private void WriteManifest(string integrity)
    {
        File.WriteAllText(Path.Combine(_directory, "moe-source.manifest"), $"integrity {integrity}\n");
        WriteLine(Header);
    }

    private void WriteLine(string file) => File.AppendAllText(
        Path.Combine(_directory, "moe-source.manifest"),
        $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(_directory, file))))}  {file}\n");
}
