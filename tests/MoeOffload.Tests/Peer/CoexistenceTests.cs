using System.Text.Json;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Coexistence;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>
/// Runs our libraries after the process has loaded another llama.cpp with upstream's file names and SONAMEs. This is only tested on Linux,
/// because libraries never share symbols elsewhere.
/// </summary>
[TestFixture("local")]
[TestFixture("global")]
[Platform("Linux")]
public sealed partial class CoexistenceTests(string visibility)
{
    private string _folder = string.Empty;
    private CoexistenceReport _report = null!;

    [OneTimeSetUp]
    public void RunBoth()
    {
        _folder = Directory.CreateTempSubdirectory("coexistence größe ").FullName;
        PeerResult result = DotNet.Run(
            _folder,
            [Path.Combine(AppContext.BaseDirectory, "MoeOffload.Coexistence.dll"), visibility, NativeBuild.Upstream, TinyModels.GptOss().Path],
            new Dictionary<string, string> { ["LD_DEBUG"] = "bindings", ["LD_DEBUG_OUTPUT"] = Path.Combine(_folder, "bindings") });
        result.ExitCode.Should().Be(0, result.Errors);
        _report = JsonSerializer.Deserialize<CoexistenceReport>(result.Text)!;
    }

    [OneTimeTearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Both_libraries_are_in_the_process() => _report.Libraries.Should()
        .Contain(name => name.StartsWith("libllama.so", StringComparison.Ordinal))
        .And.Contain(name => name.StartsWith("libggml-base.so", StringComparison.Ordinal))
        .And.Contain(["libmoe-llama.so", "libmoe-ggml-base.so", "libmoe-shim.so"]);

    [Test]
    public void Both_generate_the_same_tokens_by_turns()
    {
        _report.Turns.Should().HaveCount(4);
        _report.Turns[0].Should().HaveCount(16);
        _report.Turns.Should().AllSatisfy(turn => turn.Should().Equal(_report.Turns[0]));
    }

    [Test]
    public void Each_has_a_log_of_its_own()
    {
        int[] upstreamTurns = [0, 2];
        int[] ourTurns = [1, 3];

        upstreamTurns.Should().AllSatisfy(turn => _report.UpstreamLines[turn].Should().BePositive());
        upstreamTurns.Should().AllSatisfy(turn => _report.OurLines[turn].Should().Be(0));
        ourTurns.Should().AllSatisfy(turn => _report.OurLines[turn].Should().BePositive());
        ourTurns.Should().AllSatisfy(turn => _report.UpstreamLines[turn].Should().Be(0));
    }

    [Test]
    public void Each_has_backends_of_its_own()
    {
        _report.UpstreamBackends.Should().AllBeEquivalentTo(1, "it was given the CPU alone");
        _report.OurBackends.Should().BeGreaterThan(1, "we loaded the RPC backend as well");
    }

    [Test]
    public void No_symbol_of_one_is_bound_to_the_other()
    {
        string upstream = NativeBuild.Upstream + Path.DirectorySeparatorChar;
        var bindings = Directory.EnumerateFiles(_folder).SelectMany(File.ReadLines).Select(line => Binding().Match(line)).Where(match => match.Success)
            .Select(match => (From: match.Groups[1].Value, To: match.Groups[2].Value, Symbol: match.Groups[3].Value)).ToList();

        bindings.Where(binding => IsOurs(binding.From) && IsOurs(binding.To)).Select(binding => binding.Symbol).Should().Contain("ggml_backend_dev_count");
        bindings.Where(binding => IsOurs(binding.From) && IsUpstreams(binding.To)).Should().BeEmpty();
        bindings.Where(binding => IsUpstreams(binding.From) && IsOurs(binding.To)).Should().BeEmpty();

        bool IsUpstreams(string path) => path.StartsWith(upstream, StringComparison.Ordinal);
        bool IsOurs(string path) => Path.GetFileName(path).StartsWith("libmoe-", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"binding file (.+) \[\d+\] to (.+) \[\d+\]: \w+ symbol `([^']+)'")]
    private static partial Regex Binding();
}
