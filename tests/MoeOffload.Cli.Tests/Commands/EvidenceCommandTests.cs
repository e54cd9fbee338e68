using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Measurement.Tests.Evidence;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>The commands that check, compare and quote evidence.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EvidenceCommandTests : IDisposable
{
    private readonly EvidenceFolders _folders = new();
    private readonly Moe _moe = new();

    public void Dispose()
    {
        _moe.Dispose();
        _folders.Dispose();
    }

    [Test]
    public void Verify_says_ok_without_native_libraries()
    {
        _moe.Environment["MOE_NATIVE_DIR"] = _moe.Home["nowhere"];

        MoeResult result = _moe.Run("evidence", "verify", _folders.Make());

        result.Should().Match<MoeResult>(result => result.Code == 0 && result.Output.StartsWith("ok: little-moe: ") && result.Errors.Length == 0);
    }

    [Test]
    public void Verify_names_what_is_wrong_and_ends_with_1()
    {
        string folder = _folders.Make();
        EvidenceFolders.Change(folder, "commands.txt", text => text + " ");

        MoeResult result = _moe.Run("evidence", "verify", folder);

        result.Code.Should().Be(1);
        result.Output.Should().StartWith("commands.txt: its content does not match the hash");
        result.Errors.Trim().Should().StartWith("error: ").And.NotContain("\n");
    }

    [Test]
    public void Verify_of_another_model_ends_with_1()
    {
        MoeResult result = _moe.Run("evidence", "verify", _folders.Make(), "--model", Fixtures.DemoModel.Path);

        result.Code.Should().Be(1);
        result.Output.Should().Contain("not that of a measured model");
    }

    [Test]
    public void Verify_of_nothing_ends_with_1_and_a_line() =>
        _moe.Run("evidence", "verify", _moe.Home["nowhere"]).Should().Match<MoeResult>(result => result.Code == 1 && result.Errors.StartsWith("error: The folder "));

    [Test]
    public void Compare_shows_ratios_and_whether_ranges_overlap()
    {
        string slow = _folders.Make("slow");
        string fast = _folders.Make("fast", speed: 40);

        JsonArray figures = _moe.Report("evidence", "compare", slow, fast).AsArray();

        JsonNode speed = figures.Single(figure => figure!["id"]!.GetValue<string>() == "little-moe/streaming/device/decode_tokens_per_second/median")!;
        speed["ratio"]!.GetValue<double>().Should().BeApproximately(40.25 / 20.25, 1e-9);
        speed["overlap"]!.GetValue<bool>().Should().BeFalse();
        figures.Single(figure => figure!["id"]!.GetValue<string>() == "little-moe/quality/perplexity/offload/perplexity")!["overlap"]!.GetValue<bool>().Should().BeTrue();
        _moe.Run("evidence", "compare", slow, fast).Output.Should().Contain("apart").And.Contain("overlap");
    }

    [Test]
    public void Render_fills_figures_facts_tables_and_plots()
    {
        string folder = _folders.Make("demo");
        string template = _folders.Root.Write("paper.template.md", """
            Speed {{demo:little-moe/streaming/device/decode_tokens_per_second/median}}, or {{ demo:little-moe/streaming/device/decode_tokens_per_second/median | 0.00 }}.
            On {{demo:machine/cpu}} with {{demo:machine/memory_bytes|GiB}}; cut {{demo:little-moe/memory/offload_against_device/loaded/allocator/devices/cut|number}}.

            {{demo:table:little-moe/memory}}
            {{demo:plot:little-moe/memory}}
            """);
        string paper = _folders.Root["docs", "paper.md"];
        Directory.CreateDirectory(Path.GetDirectoryName(paper)!);

        MoeResult written = _moe.Run("evidence", "render", template, folder, "-o", paper);
        MoeResult same = _moe.Run("evidence", "render", template, $"demo={folder}", "-o", paper, "--check");
        string text = File.ReadAllText(paper);
        File.WriteAllText(paper, text.Replace("20.25", "29.25"));
        MoeResult edited = _moe.Run("evidence", "render", template, folder, "-o", paper, "--check");

        written.Should().Be(new MoeResult(0, string.Empty, string.Empty));
        text.Should().Contain("Speed 20.3 tokens/s, or 20.25.").And.Contain("On A processor with 8.0 GiB; cut 75.0.")
            .And.Contain("| RPC0 | all on device |").And.Contain("](../demo/plots/little-moe.memory.svg)");
        same.Code.Should().Be(0);
        edited.Code.Should().Be(1);
        edited.Errors.Should().Contain("from line 1 on");
    }

    [Test]
    public void Unknown_figure_is_an_error_with_near_names()
    {
        string template = _folders.Root.Write("paper.template.md", "\nSpeed {{little-moe/streaming/device/decode_tokens_per_second/medium}}");

        MoeResult result = _moe.Run("evidence", "render", template, _folders.Make());

        result.Code.Should().Be(1);
        result.Output.Should().BeEmpty();
        result.Errors.Should().Contain("paper.template.md, line 2: ").And.Contain("'little-moe/streaming/device/decode_tokens_per_second/median'");
    }

    [Test]
    public void Evidence_that_does_not_hold_is_not_quoted()
    {
        string folder = _folders.Make();
        EvidenceFolders.Cheat(folder, "report.md", text => text + "more\n");

        MoeResult result = _moe.Run("evidence", "render", _folders.Root.Write("paper.template.md", "Nothing"), folder);

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("is not valid evidence: report.md:");
    }

    [Test]
    public void Report_is_written_again_if_the_raw_files_are_unchanged()
    {
        string folder = _folders.Make();
        string report = File.ReadAllText(Path.Combine(folder, "report.md"));
        EvidenceFolders.Cheat(folder, "report.md", text => text + "other words\n");

        MoeResult anew = _moe.Run("evidence", "report", folder);
        string written = File.ReadAllText(Path.Combine(folder, "report.md"));
        EvidenceFolders.Change(folder, "models/little-moe/sweep.jsonl", text => text.Replace("20", "30"));
        MoeResult refused = _moe.Run("evidence", "report", folder);

        anew.Code.Should().Be(0);
        written.Should().Be(report);
        refused.Code.Should().Be(1);
        refused.Errors.Should().Contain("was not changed: models/little-moe/sweep.jsonl:");
    }

    [Test]
    public void Figures_lists_all_names()
    {
        MoeResult result = _moe.Run("evidence", "figures", _folders.Make());

        result.Output.Should().Contain("little-moe/streaming/offload/gaps_ms/p99").And.Contain("machine/cpu").And.Contain("table:little-moe/memory").And.Contain("plot:little-moe/streaming-decode");
    }
}
