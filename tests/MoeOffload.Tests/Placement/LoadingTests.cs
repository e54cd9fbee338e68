using System.Diagnostics;
using FluentAssertions;
using Microsoft.Extensions.Logging;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class LoadingTests
{
    private SecondDevice _device = null!;

    [OneTimeSetUp]
    public void StartDevice() => _device = SecondDevice.Start();

    [OneTimeTearDown]
    public void StopDevice() => _device.Dispose();

    [Test]
    public void Progress_rises_to_one()
    {
        var progress = new Progress();

        using MoeModel model = MoeModel.Load(TinyModels.PhiMoe().Path, _device.Options, progress);

        progress.Values.Should().BeInAscendingOrder().And.OnlyContain(value => value >= 0 && value <= 1).And.HaveCountGreaterThan(3);
        progress.Values[^1].Should().Be(1);
    }

    [Test]
    public void A_load_that_is_cancelled_half_way_gives_its_memory_back()
    {
        string path = TinyModels.Qwen3Moe(new TinyModelOptions { EmbeddingLength = 512, ExpertFeedForwardLength = 64, Layers = 2 }).Path;
        long fileSize = new FileInfo(path).Length;
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu(), LoadMode = LoadMode.None };
        CancelledHalfWay();
        CancelledHalfWay();
        long before = ResidentBytes();

        for (int i = 0; i < 8; i++)
        {
            CancelledHalfWay();
        }

        (ResidentBytes() - before).Should().BeLessThan(fileSize, "8 loads that each leak half a model take 4 times the file");
        using MoeModel model = MoeModel.Load(path, options);
        model.Greedy(2).Should().HaveCount(2);

        void CancelledHalfWay()
        {
            using var cancellation = new CancellationTokenSource();
            var progress = new Progress(value =>
            {
                if (value > 0.5f)
                {
                    cancellation.Cancel();
                }
            });
            FluentActions.Invoking(() => MoeModel.Load(path, options, progress, cancellation.Token))
                .Should().Throw<OperationCanceledException>().Which.CancellationToken.Should().Be(cancellation.Token);
            progress.Values[^1].Should().BeLessThan(1);
        }
    }

    [TestCase(GgmlType.F16, "ffn_gate_exps")]
    [TestCase(GgmlType.F32, "attn_q")]
    [TestCase(GgmlType.Q4_0, "attn_norm")]
    [TestCase(GgmlType.Q4_0, "token_embd")]
    public void Rule_for_a_buffer_that_cannot_hold_the_tensor_is_refused(GgmlType type, string name)
    {
        TinyModel tiny = TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = type });
        var options = new ModelOptions { Placement = TensorPlacement.Parse($"{name}=CPU_REPACK") };

        FluentActions.Invoking(() => MoeModel.Load(tiny.Path, options))
            .Should().Throw<PlacementException>().WithMessage($"placement rule 1, `{name}`: the CPU cannot compute with the tensor '*{name}*' of type * in the buffer 'CPU_REPACK'*");
        FluentActions.Invoking(() => MoeModel.EstimateMemory(tiny.Path, options)).Should().Throw<PlacementException>();
    }

    // Which types are rearranged depends on the processor.
    [TestCase(GgmlType.Q4_0)]
    [TestCase(GgmlType.Q8_0)]
    [TestCase(GgmlType.MXFP4)]
    public void Rule_for_rearranged_weights_is_applied_or_refused(GgmlType type)
    {
        try
        {
            using MoeModel model = MoeModel.Load(
                TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = type }).Path,
                new ModelOptions { Placement = TensorPlacement.Parse("exps=CPU_REPACK") });
            model.Greedy(2).Should().HaveCount(2);
        }
        catch (PlacementException e)
        {
            e.Message.Should().Contain("CPU_REPACK");
        }
    }

    [Test]
    public void Metadata_overrides_take_effect()
    {
        TinyModel tiny = TinyModels.PhiMoe();
        ModelOptions options = _device.Options with
        {
            MetadataOverrides = new Dictionary<string, MetadataValue> { ["phimoe.expert_used_count"] = 1, ["general.name"] = "renamed" },
        };

        using MoeModel plain = _device.Load(tiny);
        using MoeModel model = MoeModel.Load(tiny.Path, options);

        plain.Info.ExpertUsedCount.Should().Be(2);
        model.Info.ExpertUsedCount.Should().Be(1);
        model.Info.Name.Should().Be("renamed");
        model.Logits().Should().NotEqual(plain.Logits());
    }

    [Test]
    public void Metadata_overrides_of_another_type_are_refused()
    {
        Refused("phimoe.rope.freq_base", 10_000, "*'phimoe.rope.freq_base' = 10000 is not of the type*Float32*");
        Refused("phimoe.expert_used_count", 2.0, "*UInt32*");
        Refused("general.name", true, "*String*");
        Refused("tokenizer.ggml.tokens", "one", "*Array*");

        void Refused(string key, MetadataValue value, string message) => FluentActions
            .Invoking(() => MoeModel.Load(
                TinyModels.PhiMoe().Path,
                new ModelOptions { MetadataOverrides = new Dictionary<string, MetadataValue> { [key] = value } }))
            .Should().Throw<ArgumentException>().WithMessage(message);
    }

    [Test]
    public void The_log_shows_experts_moves_buffers_and_context()
    {
        using var log = new RecordedLog();
        TinyModel tiny = TinyModels.GptOss();
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu(), LoggerFactory = log };

        using MoeModel model = MoeModel.Load(tiny.Path, options);
        using GenerationSession session = model.CreateSession(Generations.SmallContext);

        string[] native = [.. log.Lines.Where(line => line.Category == "MoeOffload.Native").Select(line => line.Text)];
        native.Should().NotContain(line => line.Contains('\n'));
        native.Should().Contain(line => line.Contains("gpt-oss.expert_count") && line.EndsWith("= 32"));
        native.Should().Contain(line => line.Contains("gpt-oss.expert_used_count") && line.EndsWith("= 4"));
        native.Should().Contain(line => line.Contains("n_ctx") && line.Contains("256"));
        native.Should().Contain(line => line.Contains("KV buffer size"));
        native.Should().Contain(line => line.Contains($"{_device.Buffer} model buffer size"));
        native.Should().Contain(line => line.Contains("CPU") && line.Contains("model buffer size"));
        foreach (TensorLocation expert in model.Placement.Tensors.Where(tensor => tensor.IsExpert))
        {
            native.Should().ContainSingle(line => line.Contains($"tensor {expert.Name} (") && line.Contains("buffer type overridden to"));
        }

        native.Count(line => line.Contains("buffer type overridden to")).Should().Be(model.Placement.ExpertTensorCount);
        log.Lines.Should().Contain(line => line.Level == LogLevel.Information && line.Category == "MoeOffload.MoeModel"
            && line.Text.Contains("expert_count = 32, expert_used_count = 4"));
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed class Progress(Action<float>? then = null) : IProgress<float>
    {
        public List<float> Values { get; } = [];

        public void Report(float value)
        {
            Values.Add(value);
            then?.Invoke(value);
        }
    }
}
