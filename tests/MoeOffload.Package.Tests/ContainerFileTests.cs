using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>The Dockerfile refers to files, commands and options that exist. An image needs a container engine, and is not built here.</summary>
[TestFixture]
public sealed partial class ContainerFileTests
{
    // What `COPY . .` copies for `dotnet publish`, as opposed to the documentation, the tests, and what was built.
    private static readonly string[] s_sources =
    [
        "build.sh", "CMakeLists.txt", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "LICENSE", "THIRD-PARTY-NOTICES.txt",
        "bindings/Generated", "docs/icon.png", "native", "src",
    ];

    private static readonly string s_text = File.ReadAllText(Path.Combine(NativeBuild.Repository, "Dockerfile"));

    [Test]
    public void Copied_files_exist_and_are_sent_to_the_engine()
    {
        string[] ignore = File.ReadAllLines(Path.Combine(NativeBuild.Repository, ".dockerignore"));
        string[] sent = [.. ignore.Where(line => line.StartsWith("!/", StringComparison.Ordinal)).SelectMany(line => Matches(line[2..]))];
        string[] copied = [.. Copies().Matches(s_text).SelectMany(match => match.Groups["files"].Value.Split(' ')[..^1]).Where(file => file != ".")];

        copied.Should().NotBeEmpty().And.OnlyContain(file => Path.Exists(Path.Combine(NativeBuild.Repository, file)));
        sent.Should().BeEquivalentTo(s_sources);
        sent.Should().Contain(copied);
    }

    [Test]
    public void Native_build_has_what_it_reads()
    {
        string script = File.ReadAllText(Path.Combine(NativeBuild.Repository, "native", "cmake", "build.cmake"));
        IEnumerable<string> read = RootFiles().Matches(script).Select(match => match.Groups["file"].Value).Where(file => File.Exists(Path.Combine(NativeBuild.Repository, file)));

        string copied = Copies().Matches(s_text)[0].Groups["files"].Value;
        read.Should().NotBeEmpty().And.OnlyContain(file => copied.Contains(file, StringComparison.Ordinal));
    }

    [Test]
    public void Options_are_those_of_the_commands()
    {
        string build = File.ReadAllText(Path.Combine(NativeBuild.Repository, "build.sh"));
        PeerResult help = DotNet.Run(NativeBuild.Repository, "exec", Path.Combine("src", "MoeOffload.Cli", "bin", "Release", "net10.0", "moe.dll"), "serve", "--help");

        BuildOptions().Matches(s_text).Select(match => match.Value).Should().Contain(["--all-variants", "--cuda"]).And.OnlyContain(option => build.Contains(option + ")", StringComparison.Ordinal));
        string[] variables = [.. Variables().Matches(s_text).Select(match => match.Groups["name"].Value)];
        variables.Should().BeEquivalentTo("MODEL_DIRS", "BIND");
        variables.Should().OnlyContain(name => help.Text.Contains($"--{name.ToLowerInvariant().Replace('_', '-')} ", StringComparison.Ordinal));
        s_text.Should().Contain("ENTRYPOINT [\"dotnet\", \"/app/moe.dll\"]").And.Contain("CMD [\"serve\"]");
    }

    [Test]
    public void Process_is_not_run_by_root_and_its_health_is_checked() => s_text.Should().Contain("USER moe").And.Contain("/ready").And.NotContain("USER root");

    [Test]
    public void Health_check_succeeds_only_while_a_server_answers()
    {
        string check = HealthCheck().Match(s_text).Groups["command"].Value;
        int port;
        using (var server = MoeServer.Start(DemoModel.Path))
        {
            port = server.Address.Port;
            Run().ExitCode.Should().Be(0);
        }

        Run().ExitCode.Should().NotBe(0);

        PeerResult Run() => Peer.RunFile("bash", ["-c", check], new Dictionary<string, string> { ["MOE_BIND"] = $"127.0.0.1:{port}" });
    }

    private static IEnumerable<string> Matches(string pattern) => Directory.EnumerateFileSystemEntries(NativeBuild.Repository, "*", SearchOption.TopDirectoryOnly)
        .Concat(pattern.Contains('/', StringComparison.Ordinal) ? [Path.Combine(NativeBuild.Repository, pattern)] : [])
        .Where(Path.Exists)
        .Select(path => Path.GetRelativePath(NativeBuild.Repository, path).Replace('\\', '/'))
        .Where(path => Regex.IsMatch(path, $"^{Regex.Escape(pattern).Replace("\\*", "[^/]*", StringComparison.Ordinal)}$"));

    [GeneratedRegex(@"^COPY (?!--from)(?<files>.+)$", RegexOptions.Multiline)]
    private static partial Regex Copies();

    [GeneratedRegex(@"(?<=[ =""])--(all-variants|two-variants|cuda|vulkan|peers|rid|asan)\b")]
    private static partial Regex BuildOptions();

    [GeneratedRegex(@"CMD bash -c '(?<command>[^']+)'")]
    private static partial Regex HealthCheck();

    [GeneratedRegex(@"\bMOE_(?<name>[A-Z_]+)=")]
    private static partial Regex Variables();

    [GeneratedRegex(@"\$\{root\}/(?<file>[\w.-]+)")]
    private static partial Regex RootFiles();
}
