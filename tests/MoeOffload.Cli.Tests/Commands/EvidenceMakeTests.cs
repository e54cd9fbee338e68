using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Evidence of the demo model, really measured, with few tokens.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EvidenceMakeTests : IDisposable
{
    private static readonly string[] s_few =
    [
        "-c", "256", "--streaming-rounds", "1", "--streaming-max-tokens", "4", "--memory-max-tokens", "2", "--quality-window", "32", "--quality-windows", "2", "--quality-positions", "8",
        "--quality-max-tokens", "4", "--sweep-axes", "expert_layers_on_cpu", "--sweep-expert-layers", "0,6", "--sweep-rounds", "1", "--sweep-prompt-tokens", "16", "--sweep-max-tokens", "4",
    ];

    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Evidence_with_a_second_device_holds_and_says_what_offload_saves()
    {
        using var server = RpcServer.Start();
        string folder = _moe.Home["evidence"];

        MoeResult made = _moe.Run(["evidence", "make", DemoModel.Path, "-o", folder, "--rpc", server.Address, .. s_few]);
        MoeResult verified = _moe.Run("evidence", "verify", folder, "--model", DemoModel.Path);

        made.Should().Match<MoeResult>(result => result.Code == 0 && result.Output.StartsWith("ok: tiny-moe: "));
        verified.Should().Match<MoeResult>(result => result.Code == 0 && result.Output.StartsWith("ok: tiny-moe: "));
        string report = File.ReadAllText(Path.Combine(folder, "report.md"));
        report.Should().Contain("RPC0 is an RPC server on the same machine").And.Contain("1 round only: below the 5 repeats").And.Contain("cut by offload").And.NotContain("synthetic");
        JsonNode figures = _moe.Report("evidence", "figures", folder);
        double Figure(string id) => figures["figures"]!.AsArray().Single(figure => figure!["id"]!.GetValue<string>() == id)!["value"]!.GetValue<double>();
        Figure("tiny-moe/memory/offload_against_device/loaded/allocator/devices/cut").Should().BeInRange(20, 90);
        Figure("tiny-moe/quality/logits/same_top/true_share").Should().Be(100);
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
        {
            File.ReadAllText(file).Should().NotContain(_moe.Home.Path).And.NotContain(NativeBuild.Repository, because: "{0} goes to others", file);
        }
    }

    [Test]
    public void Evidence_of_the_cpu_alone_holds_and_is_called_that()
    {
        string folder = _moe.Home["evidence"];

        MoeResult made = _moe.Run(["evidence", "make", DemoModel.Path, "-o", folder, "--gpu-backend", "cpu", "--benches", "memory,quality", .. s_few]);

        made.Code.Should().Be(0, made.ToString());
        File.ReadAllText(Path.Combine(folder, "report.md")).Should().Contain("CPU only, no second device").And.NotContain("Streaming");
        _moe.Run("evidence", "verify", folder).Code.Should().Be(0);
    }

    [Test]
    public void Folder_that_has_something_is_left_alone()
    {
        string file = _moe.Home.Write("evidence/mine.txt");

        MoeResult result = _moe.Run("evidence", "make", DemoModel.Path, "-o", _moe.Home["evidence"]);

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("is not empty");
        Directory.GetFileSystemEntries(_moe.Home["evidence"]).Should().Equal(file);
    }

    [Test]
    public async Task Folder_that_was_not_made_to_its_end_can_be_read_and_does_not_hold()
    {
        const int Interrupt = 2;
        string folder = _moe.Home["evidence"];
        using MoeProcess making = _moe.Start(["evidence", "make", DemoModel.Path, "-o", folder, "--gpu-backend", "cpu", "--benches", "streaming", "--streaming-rounds", "1000", "-c", "256"]);
        string samples = Path.Combine(folder, "models", "tiny-moe", "streaming.jsonl");
        for (int i = 0; i < 600 && !(File.Exists(samples) && new FileInfo(samples).Length > 0); i++)
        {
            await Task.Delay(100);
        }

        making.Signal(Interrupt);
        MoeResult result = making.WaitForEnd(TimeSpan.FromSeconds(60));

        result.Code.Should().Be(130);
        File.Exists(Path.Combine(folder, "SHA256SUMS")).Should().BeFalse();
        File.ReadLines(samples).Should().NotBeEmpty().And.OnlyContain(line => line.EndsWith('}'));
        _moe.Run("evidence", "verify", folder).Should().Match<MoeResult>(verified => verified.Code == 1 && verified.Output.Contains("is incomplete"));
    }

    [TestCase("--benches", "speed")]
    [TestCase("--cpu-moe", "true")]
    public void Wrong_option_ends_with_64(string option, string value) =>
        _moe.Run("evidence", "make", DemoModel.Path, "-o", _moe.Home["evidence"], $"{option}={value}").Code.Should().Be(64);
}
