using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Runs a program that loads a plugin from another directory, as game engines, editors, spreadsheets and shells do.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PluginTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [SetUp]
    public void CopyHost()
    {
        Copy("host", "MoeOffload.PluginHost.dll", "MoeOffload.PluginHost.runtimeconfig.json");
        Copy("plugin", "MoeOffload.Plugin.dll", "MoeOffload.dll", "Microsoft.Extensions.Logging.Abstractions.dll", "Microsoft.Extensions.DependencyInjection.Abstractions.dll");
    }

    public void Dispose() => _directory.Dispose();

    [TestCase("context", "")]
    [TestCase("context", "runtimes")]
    [TestCase("loadfrom", "")]
    [TestCase("loadfrom", "runtimes")]
    [TestCase("memory", "")]
    public void Native_libraries_are_found_beside_the_plugin(string kind, string layout)
    {
        string libraries = layout.Length == 0
            ? Path.Combine(_directory.Path, "plugin")
            : Path.Combine(_directory.Path, "plugin", layout, Path.GetFileName(NativeBuild.Directory), "native");
        Directory.CreateDirectory(libraries);
        foreach (string library in Directory.EnumerateFiles(NativeBuild.Directory, "*moe-*"))
        {
            File.Copy(library, Path.Combine(libraries, Path.GetFileName(library)));
        }

        PeerResult result = Run(kind);

        result.ExitCode.Should().Be(0, result.Errors);
        result.Text.Split('\n')[0].Should().Be(libraries);
        result.Text.Split('\n')[1].Should().NotBeEmpty();
    }

    [Test]
    public void Plugin_without_libraries_names_its_own_directory()
    {
        PeerResult result = Run("context");

        result.ExitCode.Should().NotBe(0);
        result.Errors.Should().Contain("NativeLibraryException").And.Contain(Path.Combine(_directory.Path, "plugin")).And.Contain(Path.Combine(_directory.Path, "host"));
    }

    private PeerResult Run(string kind) => DotNet.Run(
        _directory.Path,
        [Path.Combine(_directory.Path, "host", "MoeOffload.PluginHost.dll"), kind, Path.Combine(_directory.Path, "plugin", "MoeOffload.Plugin.dll"), TinyModels.GptOss().Path]);

    private void Copy(string target, params string[] files)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_directory.Path, target)).FullName;
        foreach (string file in files)
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, file), Path.Combine(directory, file));
        }
    }
}
