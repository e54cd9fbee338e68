using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Statistics;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Runs the benchmarks with an RPC server as the second device and a few tokens, and checks the samples, not the speed.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BenchCommandTests : IDisposable
{
    private const int Interrupt = 2;
    private const int Layers = 6;

    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Streaming_asks_each_prompt_in_each_way_over_HTTP()
    {
        string file = _moe.Home["streaming.jsonl"];
        JsonNode report = _moe.Report("bench", "streaming", DemoModel.Path, "--rpc-loopback", "--rounds", "2", "-n", "4", "-c", "256", "-o", file);
        var samples = SampleSet.Read(file);

        samples.Should().HaveCount(2 * 4 * 2 * 2);
        JsonNode.DeepEquals(report["samples"], new JsonArray([.. samples.Select(sample => sample.Fields.DeepClone())])).Should().BeTrue();
        samples.By("prompt").Should().HaveCount(4).And.OnlyContain(prompt => prompt.Samples.By("placement").Count() == 2);
        samples.Should().OnlyContain(sample => (int)sample.Fields["tokens"]! == 4 && !(bool)sample.Fields["synthetic"]!);
        samples.Should().OnlyContain(sample => ((string)sample.Fields["accelerator"]!).StartsWith("RPC server 127.0.0.1:"));
        samples.Should().OnlyContain(sample => (bool)sample.Fields["stream"]! == (sample.Fields["ttft_ms"] != null));
        samples.Where(sample => sample.Fields["ttft_ms"] is not null).Should()
            .OnlyContain(sample => (double)sample.Fields["ttft_ms"]! <= (double)sample.Fields["total_ms"]!);

        // The second round goes the other way round.
        Ways(samples, 1).Should().Equal(Ways(samples, 0).Reverse());
        report["statistics"]!.AsArray().Select(figure => (string)figure!["statistic"]!).Should().Contain(["median", "p99", "difference_of_medians.low"]);
    }

    [Test]
    public void Memory_says_what_offloading_takes_off_the_device()
    {
        JsonNode report = _moe.Report("bench", "memory", DemoModel.Path, "--rpc-loopback", "-n", "4", "-c", "256");
        SampleSet samples = Samples(report);
        MemoryBreakdown host = MoeModel.EstimateMemory(DemoModel.Path, new ModelOptions { Devices = [] });
        long experts = Allocated(samples, "device", "model") - Allocated(samples, "offload", "model");

        Allocated(samples, "device", "kv").Should().Be(Allocated(samples, "offload", "kv")).And.BePositive();
        experts.Should().BeGreaterThan(host.Total.WeightBytes / 2, "most of the model is experts");
        foreach (string moment in new[] { "idle", "loaded", "peak" })
        {
            foreach (string process in new[] { "moe", "ggml-rpc-server" })
            {
                samples.Where(new JsonObject { ["placement"] = "offload", ["moment"] = moment, ["process"] = process, ["kind"] = "resident" })
                    .Numbers("bytes").Should().ContainSingle().Which.Should().BePositive();
            }
        }
    }

    [Test]
    public void Quality_finds_no_difference_where_there_is_none()
    {
        SampleSet samples = Samples(_moe.Report(
            "bench", "quality", DemoModel.Path, "--rpc-loopback", "-n", "8", "--window", "64", "--windows", "2", "--positions", "40"));

        SampleSet perplexity = samples.Where(new JsonObject { ["measure"] = "perplexity" });
        perplexity.Should().HaveCount(4).And.OnlyContain(sample => (int)sample.Fields["tokens"]! == 31);
        double[] values = [.. perplexity.By("placement").Select(
            placement => Statistic.Compute("perplexity", placement.Samples.Numbers("negative_log_likelihood"), placement.Samples.Numbers("tokens")))];
        (values[0] / values[1]).Should().BeApproximately(1, 0.01);

        SampleSet logits = samples.Where(new JsonObject { ["measure"] = "logits" });
        logits.Should().HaveCount(40);
        logits.Numbers("kl_divergence").Should().OnlyContain(value => value >= 0 && value < 0.01);
        samples.Where(new JsonObject { ["measure"] = "greedy" }).Should().HaveCount(4)
            .And.OnlyContain(sample => (int)sample.Fields["tokens"]! == 8 && (int)sample.Fields["equal_tokens"]! <= 8);
    }

    [Test]
    public void Perplexity_is_that_of_llama_cpps_tool()
    {
        string text = _moe.Home.Write("text.txt", string.Join('\n', Enumerable.Repeat("Once there was a fox named Tim. Tim found a red ball in the garden.", 40)));
        double expected = ToolPerplexity(text);

        JsonNode report = _moe.Report("bench", "quality", DemoModel.Path, "--device", "none", "-n", "1", "--window", "128", "--windows", "1000", "--text", text);
        double actual = report["statistics"]!.AsArray().Single(figure => (string)figure!["statistic"]! == "perplexity")!["value"]!.GetValue<double>();

        (actual / expected).Should().BeApproximately(1, 0.001);
    }

    [Test]
    public void Quality_on_the_CPU_alone_says_that_nothing_is_compared()
    {
        MoeResult result = _moe.Run("bench", "quality", DemoModel.Path, "--device", "none", "-n", "2", "--window", "64", "--windows", "1");

        result.Code.Should().Be(0);
        result.Output.Should().Contain("the CPU alone").And.Contain("perplexity, cpu").And.Contain("nothing is compared");
    }

    [Test]
    public void Sweep_measures_in_turns_with_llama_cpp()
    {
        SampleSet samples = Samples(_moe.Report(
            "bench", "sweep", DemoModel.Path, "--rpc-loopback", "--axes", "expert_layers_on_cpu,depth", "--expert-layers", $"0,{Layers}", "--depths", "40",
            "-p", "16", "-n", "2", "--rounds", "1", "--peer", NativeBuild.Tool("llama-bench")));

        samples.By("source").Select(source => ((string)source.Value!, source.Samples.Count)).Should().BeEquivalentTo([("moe", 3), ("llama-bench", 3)]);
        samples.Numbers("prompt_tokens_per_second").Should().HaveCount(6).And.OnlyContain(value => value > 0);
        samples.Numbers("decode_tokens_per_second").Should().HaveCount(6).And.OnlyContain(value => value > 0);
        samples.Where(new JsonObject { ["axis"] = "depth", ["source"] = "moe" }).Numbers("cached_tokens").Should().Equal(40);
        double[] onDevice = samples.Where(new JsonObject { ["axis"] = "expert_layers_on_cpu", ["source"] = "moe" }).Numbers("device_model_bytes");
        onDevice[0].Should().BeGreaterThan(2 * onDevice[1]);
    }

    [Test]
    public void Sweep_computes_each_prompt_of_each_round()
    {
        SampleSet samples = Samples(_moe.Report(
            "bench", "sweep", DemoModel.Path, "--device", "none", "--axes", "threads", "--thread-counts", "2", "-p", "16", "-n", "2", "--rounds", "4"));

        samples.Numbers("cached_tokens").Should().Equal(0, 0, 0, 0);
    }

    [Test]
    public void Sweep_on_the_CPU_alone_has_no_experts_to_move()
    {
        MoeResult result = _moe.Run(
            "bench", "sweep", DemoModel.Path, "--device", "none", "--thread-counts", "1", "--micro-batches", "8,32", "--depths", "0", "-p", "16", "-n", "2", "--rounds", "1");

        result.Code.Should().Be(0);
        result.Output.Should().Contain("threads").And.Contain("micro_batch").And.Contain("host_memory").And.NotContain("expert_layers_on_cpu");
    }

    [TestCase(64, "place the experts themselves", "memory", "--cpu-moe")]
    [TestCase(64, "must be a comma-separated list of expert_layers_on_cpu", "sweep", "--axes", "colour")]
    [TestCase(64, "moe bench sweep --help", "sweep", "--rounds", "0")]
    [TestCase(1, "cannot be run", "sweep", "--device", "none", "--axes", "depth", "--depths", "0", "-p", "8", "-n", "2", "--peer", "no-such-tool")]
    [TestCase(1, "nothing to measure", "sweep", "--device", "none", "--axes", "expert_layers_on_cpu")]
    [TestCase(1, "give a longer one", "quality", "--device", "none", "--window", "60000")]
    [TestCase(1, "no-such-file", "quality", "--text", "no-such-file")]
    public void Bench_that_cannot_be_run_ends_with_one_line(int code, string what, string bench, params string[] arguments)
    {
        MoeResult result = _moe.Run(["bench", bench, DemoModel.Path, .. arguments]);

        result.Code.Should().Be(code);
        result.Errors.Trim().Should().StartWith("error: ").And.Contain(what).And.NotContain("\n");
    }

    [Test]
    public async Task Interrupt_ends_a_bench_and_keeps_its_samples()
    {
        string file = _moe.Home["streaming.jsonl"];
        using MoeProcess process = _moe.Start("bench", "streaming", DemoModel.Path, "--device", "none", "--rounds", "1000", "-n", "8", "-c", "256", "-o", file);
        for (int i = 0; i < 1200 && !(File.Exists(file) && new FileInfo(file).Length > 0); i++)
        {
            await Task.Delay(50);
        }

        process.Signal(Interrupt);
        MoeResult result = process.WaitForEnd(TimeSpan.FromSeconds(60));

        result.Code.Should().Be(130);
        result.Errors.Should().BeEmpty();
        SampleSet.Read(file).Should().NotBeEmpty();
    }

    [Test]
    public void Bench_without_a_subcommand_is_as_it_was() =>
        _moe.Report("bench", DemoModel.Path, "-n", "4", "-p", "8", "--runs", "2")["runs"]!.GetValue<int>().Should().Be(2);

    // The tool's log thread can lose the last line, which has the result, when the process ends.
    private static double ToolPerplexity(string text)
    {
        const int Attempts = 20;
        string all = string.Empty;
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            PeerResult tool = Peer.Run(
                "llama-perplexity", ["-m", DemoModel.Path, "-f", text, "-c", "128", "-b", "128", "-ub", "128", "-t", "1", "-fit", "off", "--no-escape", "-dev", "none"]);
            all = Encoding.UTF8.GetString(tool.Output) + tool.Errors;
            if (Regex.Match(all, @"Final estimate: PPL = ([\d.]+)") is { Success: true } estimate)
            {
                return double.Parse(estimate.Groups[1].Value, CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidOperationException($"llama-perplexity reported no result: {all}");
    }

    private static SampleSet Samples(JsonNode report) =>
        new([.. report["samples"]!.AsArray().Select((sample, index) => new Sample(index + 1, (JsonObject)sample!.DeepClone()))]);

    private static IEnumerable<string> Ways(SampleSet samples, int round) => samples.Where(new JsonObject { ["round"] = round })
        .Select(sample => $"{sample.Fields["prompt"]} {sample.Fields["placement"]} {sample.Fields["stream"]}");

    private static long Allocated(SampleSet samples, string placement, string kind) => (long)samples
        .Where(new JsonObject { ["placement"] = placement, ["source"] = "allocator", ["kind"] = kind })
        .Where(sample => (string)sample.Fields["device"]! != "CPU")
        .Sum(sample => sample.Numbers("bytes").Single());
}
