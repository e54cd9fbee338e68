using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SynthCommandTests : IDisposable
{
    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Model_of_true_shape_is_written_and_generates()
    {
        string path = _moe.Home["qwen.gguf"];

        JsonNode written = _moe.Report("model", "synth", "qwen3-30b-a3b", "--type", "q2_k", "--layers", "1", "-o", path);

        written["bytes"]!.GetValue<long>().Should().Be(new FileInfo(path).Length);
        written["parameters"]!.GetValue<long>().Should().BeGreaterThan(1_200_000_000);
        JsonNode inspected = _moe.Report("inspect", path, "--metadata");
        inspected["metadata"]!["moeoffload.synthetic_weights"]!.GetValue<string>().Should().BeEquivalentTo("true");
        inspected["experts"]!.GetValue<int>().Should().Be(128);
        MoeResult generated = _moe.Run("generate", path, "--cpu-moe", "-c", "256", "-n", "8", "--prompt", "Once upon a time");
        generated.Code.Should().Be(0, generated.Errors);
        generated.Output.Should().NotBeEmpty();
    }

    [Test]
    public void Plan_says_sizes_and_writes_nothing()
    {
        string path = _moe.Home["planned.gguf"];

        JsonNode plan = _moe.Report("model", "synth", "gpt-oss-120b", "--plan", "-o", path);
        MoeResult table = _moe.Run("model", "synth", "gpt-oss-20b", "--plan");

        plan["written"]!.GetValue<bool>().Should().BeFalse();
        plan["bytes"]!.GetValue<long>().Should().BeGreaterThan(60_000_000_000);
        File.Exists(path).Should().BeFalse();
        table.Output.Should().Contain("20.9 B parameters").And.Contain("experts").And.Contain("mxfp4").And.Contain("synthetic weights");
    }

    [Test]
    public void Existing_file_is_replaced_only_by_force()
    {
        string path = _moe.Home.Write("there.gguf", "precious");
        string[] command = ["model", "synth", "deepseek-moe-16b", "--layers", "1", "--type", "Q2_K", "-o", path];

        MoeResult refused = _moe.Run(command);
        string kept = File.ReadAllText(path);
        MoeResult forced = _moe.Run([.. command, "--force"]);

        refused.Code.Should().Be(1);
        refused.Errors.Should().Contain("--force");
        kept.Should().Be("precious");
        forced.Code.Should().Be(0, forced.Errors);
        new FileInfo(path).Length.Should().BeGreaterThan(100_000_000);
    }

    [TestCase("model", "synth", "no-such-model", "-o", "x.gguf")]
    [TestCase("model", "synth", "gpt-oss-20b", "--type", "Q9", "-o", "x.gguf")]
    [TestCase("model", "synth", "gpt-oss-20b", "--layers", "25", "-o", "x.gguf")]
    [TestCase("model", "synth", "gpt-oss-20b")]
    [TestCase("model", "synth", "gpt-oss-20b", "-o", ".")]
    public void Wrong_command_line_ends_with_64(params string[] arguments)
    {
        MoeResult result = _moe.Run(arguments);

        result.Code.Should().Be(64, result.ToString());
        result.Errors.Trim().Should().StartWith("error: ").And.NotContain("\n");
    }

    [Test]
    [Platform("Linux")]
    public void Disk_that_is_too_small_is_found_before_writing()
    {
        // This file system has no room on any machine.
        MoeResult result = _moe.Run("model", "synth", "gpt-oss-120b", "-o", "/proc/moe-synth-test.gguf");

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("free").And.Contain("--layers");
        Directory.GetFiles("/proc", "moe-synth-test*").Should().BeEmpty();
    }
}
