using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Checks what depends on the location of the experts: how a model is loaded, and the default micro-batch.</summary>
public sealed class ExpertSplitTests
{
    private const string Experts = "ffn_up_exps";

    private static readonly string[] s_tensors =
        ["token_embd.weight", .. Enumerable.Range(0, 4).SelectMany(layer => new[] { $"blk.{layer}.attn_q.weight", $"blk.{layer}.{Experts}.weight" }), "output.weight"];

    [TestCase(Experts, "CPU", null, true)]
    [TestCase(Experts, "CPU_REPACK", null, true)]
    [TestCase(Experts, "CUDA_Host", null, true)]
    [TestCase(Experts, "CUDA1", null, false, Description = "on another device")]
    [TestCase("token_embd", "CPU", null, false, Description = "a rule that moves no expert")]
    [TestCase("no match", "CPU", null, false)]
    [TestCase("no match", "CPU", 3, true, Description = "the first layers are on the host")]
    [TestCase("no match", "CPU", 5, false, Description = "four layers and the output are on the device")]
    [TestCase("no match", "CPU", 0, false, Description = "no layer is on a device")]
    [TestCase(Experts, "CUDA0", 3, false, Description = "only attention is on the host")]
    public void Expectation_follows_from_where_experts_will_be(string tensors, string buffer, int? gpuLayers, bool expected) =>
        ExpertSplit.IsExpected(s_tensors, name => name.Contains(tensors, StringComparison.Ordinal) ? buffer : null, gpuLayers).Should().Be(expected);

    [Test]
    public void Default_micro_batch_follows_from_where_experts_are()
    {
        using SecondDevice device = SecondDevice.Start();
        TinyModel tiny = TinyModels.Olmoe();

        MicroBatch(device.Options).Should().Be(512, "all experts are on the device");
        MicroBatch(device.Options with { Placement = TensorPlacement.Parse("-ot token_embd=CPU") }).Should().Be(512, "the rule moves no expert");
        MicroBatch(device.Options with { Placement = TensorPlacement.ExpertsToCpu() }).Should().Be(2048);
        MicroBatch(device.Options with { GpuLayers = 1 }).Should().Be(512, "no layer is on the device, only the output");
        MicroBatch(device.Options with { GpuLayers = 2 }).Should().Be(2048, "the experts of the first layer stay on the host");

        int MicroBatch(ModelOptions options)
        {
            using MoeModel model = MoeModel.Load(tiny.Path, options);
            using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 4096 });
            return session.MicroBatchSize;
        }
    }
}
