using System.Text.Json.Nodes;
using System.Xml.Linq;
using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>The commands that record and play traces of experts.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TraceCommandTests : IDisposable
{
    private static readonly string[] s_generation = [DemoModel.Path, "--prompt", "Once upon a time", "--temp", "0", "-n", "12", "-c", "512"];

    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Trace_writes_the_text_of_generate_and_a_file()
    {
        MoeResult result = _moe.Run(["trace", .. s_generation, "-o", "a.moetrace"]);

        result.Output.Should().Be(_moe.Run(["generate", .. s_generation]).Output);
        result.Errors.Should().MatchRegex(@"^\[trace: \d+ tokens in 12 steps, .* in a\.moetrace\]\s*$");
        result.Code.Should().Be(0);
        ExpertTrace trace = ExpertTrace.Load(_moe.Home["a.moetrace"]);
        (trace.StepCount, trace.Model.Architecture, trace.Model.ExpertCount, trace.Layers.Count).Should().Be((12, "qwen3moe", 16, 6));
    }

    [Test]
    public void Trace_describes_the_file_that_it_names_after_the_model()
    {
        JsonNode json = _moe.Report(["trace", .. s_generation]);

        string path = json["path"]!.GetValue<string>();
        path.Should().Be("tiny-moe.moetrace");
        ExpertTrace trace = ExpertTrace.Load(_moe.Home[path]);
        json["tokens"]!.GetValue<long>().Should().Be(trace.TokenCount);
        json["bytes"]!.GetValue<long>().Should().Be(new FileInfo(_moe.Home[path]).Length);
        json["generated_tokens"]!.GetValue<int>().Should().Be(12);
    }

    [Test]
    public void Trace_of_a_dense_model_and_into_no_directory_says_why_it_fails()
    {
        MoeResult dense = _moe.Run("trace", TinyModels.Llama().Path, "-p", "Once", "-o", "a.moetrace");
        MoeResult nowhere = _moe.Run(["trace", .. s_generation, "-o", "none/a.moetrace"]);

        (dense.Code, nowhere.Code).Should().Match<(int, int)>(codes => codes.Item1 > 0 && codes.Item1 < 70 && codes.Item2 > 0 && codes.Item2 < 70);
        dense.Errors.Should().Contain("is a dense model without experts to trace").And.NotContain("TraceExperts");
        nowhere.Errors.Should().Contain("its directory does not exist");
        Directory.GetFiles(_moe.Home.Path).Should().BeEmpty();
    }

    [Test]
    [Platform("Linux")] // has a device that is always full
    public void Trace_on_a_full_disk_ends_with_the_reason()
    {
        MoeResult result = _moe.Run(["trace", .. s_generation, "-o", "/dev/full"]);

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("'/dev/full' could not be written");
    }

    [Test]
    public void Replay_says_whether_a_cache_would_pay()
    {
        _moe.Run(["trace", .. s_generation, "-o", "a.moetrace"]).Code.Should().Be(0);

        MoeResult result = _moe.Run("replay", "a.moetrace", "--read-speed", "350MiB", "--memory-speed", "10GiB");
        JsonNode json = _moe.Report("replay", "a.moetrace", "--budget", "2MiB,1MiB", "--read-speed", "1MiB");

        result.Code.Should().Be(0);
        result.Errors.Should().BeEmpty();
        result.Output.Should().Contain("6 layers of 16 experts").And.Contain("whole layers").And.Contain("tokens/s at most").And.MatchRegex("A cache (pays from|does not pay)");
        json["results"]!.AsArray().Select(item => item!["budget_bytes"]!.GetValue<long>()).Distinct().Should().Equal(1 << 20, 2 << 20);
        json["results"]!.AsArray().Should().HaveCount(12);
        JsonNode belady = json["results"]!.AsArray().Last()!;
        belady["policy"]!.GetValue<string>().Should().Be("belady");
        belady["tokens_per_second_at_most"]!.GetValue<double>()
            .Should().BeApproximately((1 << 20) / belady["decode"]!["moved_bytes_per_token"]!.GetValue<double>(), 1e-6);
    }

    [Test]
    public void Replay_of_what_is_no_trace_says_so()
    {
        MoeResult model = _moe.Run("replay", DemoModel.Path);
        MoeResult none = _moe.Run("replay", "none.moetrace");
        MoeResult speed = _moe.Run("replay", "none.moetrace", "--memory-speed", "1GiB");
        MoeResult size = _moe.Run("replay", "none.moetrace", "--budget", "1GiB,much");

        (model.Code, none.Code, speed.Code, size.Code).Should().Be((1, 1, 64, 64));
        model.Errors.Should().Contain("is not a trace of experts");
        none.Errors.Should().Contain("none.moetrace");
        speed.Errors.Should().Contain("--memory-speed is only allowed with --read-speed");
        size.Errors.Should().Contain("--budget is '1GiB,much'");
    }

    [Test]
    public void Replay_refuses_a_cache_without_room_for_an_expert()
    {
        _moe.Run(["trace", .. s_generation, "-o", "a.moetrace"]).Code.Should().Be(0);

        MoeResult result = _moe.Run("replay", "a.moetrace", "--budget", "100");

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("The largest expert has");
    }

    [Test]
    public void Replay_draws_pictures()
    {
        _moe.Run(["trace", .. s_generation, "-o", "a.moetrace"]).Code.Should().Be(0);

        _moe.Run("replay", "a.moetrace", "--pictures", "pictures").Code.Should().Be(0);

        string[] files = Directory.GetFiles(_moe.Home["pictures"]);
        files.Select(Path.GetFileName).Should().BeEquivalentTo("heat.svg", "hit-rate.svg", "reuse-distance.svg");
        files.Select(file => XDocument.Load(file).Root!.Name.LocalName).Should().OnlyContain(name => name == "svg");
        XDocument.Load(_moe.Home["pictures", "heat.svg"]).Descendants().Count(element => element.Attribute("fill-opacity") is not null).Should().Be(6 * 16);
    }
}
