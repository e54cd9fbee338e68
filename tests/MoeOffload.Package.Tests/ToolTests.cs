using System.IO.Compression;
using System.Runtime.InteropServices;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>The command moe, installed from its package alone, outside the repository.</summary>
[TestFixture]
public sealed class ToolTests
{
    private const string Id = "MoeOffload.Cli";

    private const string Feed = """
        <configuration>
          <packageSources>
            <clear />
            <add key="ours" value="OURS" />
          </packageSources>
        </configuration>
        """;

    private string _folder = string.Empty;

    private string Command => Path.Combine(_folder, "tools", OperatingSystem.IsWindows() ? "moe.exe" : "moe");

    [OneTimeSetUp]
    public void Install()
    {
        _folder = Directory.CreateTempSubdirectory("neue größe ").FullName;
        string feed = Path.Combine(_folder, "NuGet.config");
        File.WriteAllText(feed, Feed.Replace("OURS", Packages.Folder, StringComparison.Ordinal));
        PeerResult result = DotNet.Run(
            _folder,
            ["tool", "install", Id, "--tool-path", "tools", "--configfile", feed, "--version", Packages.Version],
            new Dictionary<string, string> { ["NUGET_PACKAGES"] = Path.Combine(_folder, "packages") });
        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Command_finds_the_libraries_of_its_package_and_loads_a_model()
    {
        string info = Run("gpu-info", "--json");
        string probe = Run("probe", DemoModel.Path, "-c", "256");

        info.Should().Contain(Path.Combine("runtimes", Path.GetFileName(NativeBuild.Directory), "native"));
        probe.Should().Be($"ok: loaded tiny-moe{Environment.NewLine}");
    }

    [Test]
    public void Command_helps_lists_and_generates()
    {
        string[] models = ["--model-dirs", Path.GetDirectoryName(DemoModel.Path)!];

        Run("--help").Should().Contain("serve").And.Contain("generate");
        Run(["list", .. models]).Should().Contain("tiny-moe");
        Run(["generate", "tiny-moe", "--chat", "--prompt", "What do bees make?", "--temp", "0", "-c", "256", .. models]).Should().Contain("honey");
    }

    [Test]
    public void Package_holds_the_libraries_of_several_cpus()
    {
        using ZipArchive package = Packages.Open(Id);

        string[] cpus = [.. package.Entries.Select(entry => entry.FullName).Where(name => name.Contains("moe-ggml-cpu-", StringComparison.Ordinal))];
        cpus.Should().HaveCountGreaterThan(1).And.OnlyContain(name => name.StartsWith($"tools/net10.0/any/{Packages.NativeFolder}", StringComparison.Ordinal));
    }

    [Test]
    public void Package_holds_no_documentation_and_no_symbols()
    {
        using ZipArchive package = Packages.Open(Id);

        package.Entries.Select(entry => entry.FullName).Where(name => name.StartsWith("tools/", StringComparison.Ordinal))
            .Should().NotContain(name => name.EndsWith(".pdb", StringComparison.Ordinal) || (name.EndsWith(".xml", StringComparison.Ordinal) && !name.EndsWith("DotnetToolSettings.xml", StringComparison.Ordinal)));
    }

    // The executable of a tool searches for .NET in the usual directories, unless a variable specifies another one.
    private string Run(params string[] arguments)
    {
        string runtime = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        PeerResult result = Peer.RunFile(Command, arguments, new Dictionary<string, string> { ["DOTNET_ROOT"] = runtime, ["HOME"] = _folder });
        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
        return result.Text;
    }
}
