using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>HelloMoe compiled ahead of time.</summary>
[TestFixture]
public sealed partial class AheadOfTimeTests
{
    private string _folder = string.Empty;
    private PeerResult _publish = null!;

    // The directory is inside the repository, so that the native libraries are found as for every build in it.
    [OneTimeSetUp]
    public void Publish()
    {
        _folder = Path.Combine(NativeBuild.Repository, "artifacts", "aot", "HelloMoe");
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }

        _publish = DotNet.Run(
            NativeBuild.Repository,
            "publish", Path.Combine("samples", "HelloMoe"), "-c", "Release", "-r", Path.GetFileName(NativeBuild.Directory), "-o", _folder);
    }

    [Test]
    public void Sample_compiles_without_a_warning()
    {
        _publish.ExitCode.Should().Be(0, _publish.Text);
        _publish.Text.Should().NotMatchRegex(@"\b(warning|IL\d{4})\b");
        File.Exists(Path.Combine(_folder, "HelloMoe.dll")).Should().BeFalse("it is one native program");
    }

    [Test]
    public void Sample_prints_what_it_prints_compiled_just_in_time()
    {
        using RpcServer server = RpcServer.Start();
        string[] arguments =
            ["--model", DemoModel.Path, "--rpc", server.Address, "--tokens", "48", "--seed", "1"];

        PeerResult justInTime = DotNet.Run(_folder, [Path.Combine(AppContext.BaseDirectory, "HelloMoe.dll"), .. arguments]);
        PeerResult aheadOfTime = Peer.RunFile(Path.Combine(_folder, OperatingSystem.IsWindows() ? "HelloMoe.exe" : "HelloMoe"), arguments);

        justInTime.ExitCode.Should().Be(0, justInTime.Errors);
        aheadOfTime.ExitCode.Should().Be(0, aheadOfTime.Errors);
        justInTime.Text.Should().Contain("48 tokens (");
        WithoutTimes(aheadOfTime.Text).Should().Be(WithoutTimes(justInTime.Text));
    }

    private static string WithoutTimes(string text) => Times().Replace(text, "-");

    [GeneratedRegex(@"[\d.]+(?= tokens/s| ms)")]
    private static partial Regex Times();
}
