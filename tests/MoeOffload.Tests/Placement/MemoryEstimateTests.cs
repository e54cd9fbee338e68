using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class MemoryEstimateTests
{
    private SecondDevice _device = null!;

    [OneTimeSetUp]
    public void StartDevice() => _device = SecondDevice.Start();

    [OneTimeTearDown]
    public void StopDevice() => _device.Dispose();

    [TestCaseSource(typeof(TinyModels), nameof(TinyModels.All))]
    public void An_estimate_is_what_the_session_then_takes(TinyModel tiny)
    {
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu(), LoadMode = LoadMode.None };

        MemoryBreakdown estimate = MoeModel.EstimateMemory(tiny.Path, options, Generations.SmallContext);

        using MoeModel model = MoeModel.Load(tiny.Path, options);
        using GenerationSession session = model.CreateSession(Generations.SmallContext);
        estimate.Buffers.Should().Equal(session.Memory.Buffers);
        MemoryUse device = session.Memory.Devices.Single(memory => memory.Device == _device.Name);
        device.WeightBytes.Should().BeInRange(model.Placement.Devices[0].Bytes, model.Placement.Devices[0].Bytes + Padding(model));
        device.ContextBytes.Should().BePositive();
        device.ComputeBytes.Should().BePositive();
    }

    [TestCase(512)]
    [TestCase(0)]
    public void An_estimate_includes_the_draft_model_and_its_context(int contextLength)
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu(), LoadMode = LoadMode.None };
        ContextOptions plain = Generations.SmallContext with { ContextLength = contextLength };
        using MoeModel draft = MoeModel.Load(TinyModels.Qwen3Moe(tiny.Options with { Seed = 7 }).Path, options);
        ContextOptions context = plain with { Speculation = new SpeculationOptions { DraftModel = draft } };

        MemoryBreakdown estimate = MoeModel.EstimateMemory(tiny.Path, options, context);

        using MoeModel model = MoeModel.Load(tiny.Path, options);
        using GenerationSession session = model.CreateSession(context);
        using GenerationSession alone = draft.CreateSession(plain with { ContextLength = session.ContextLength });
        estimate.Buffers.Should().Equal(session.Memory.Buffers);
        estimate.ContextLength.Should().Be(session.ContextLength);
        foreach (MemoryUse device in MoeModel.EstimateMemory(tiny.Path, options, context with { Speculation = null }).Devices)
        {
            MemoryUse both = estimate.Devices.Single(use => use.Device == device.Device);
            MemoryUse second = alone.Memory.Devices.Single(use => use.Device == device.Device);
            both.WeightBytes.Should().Be(device.WeightBytes + second.WeightBytes);
            both.ContextBytes.Should().Be(device.ContextBytes + second.ContextBytes);
            both.TotalBytes.Should().BeGreaterThan(device.TotalBytes);
        }
    }

    [Test]
    public void An_estimate_for_a_mapped_file_differs_in_the_mapped_weights_alone()
    {
        TinyModel tiny = TinyModels.PhiMoe();
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu(), LoadMode = LoadMode.Mmap };

        MemoryBreakdown estimate = MoeModel.EstimateMemory(tiny.Path, options, Generations.SmallContext);

        using MoeModel model = MoeModel.Load(tiny.Path, options);
        using GenerationSession session = model.CreateSession(Generations.SmallContext);
        estimate.Buffers.Where(buffer => !buffer.IsHost).Should().Equal(session.Memory.Buffers.Where(buffer => !buffer.IsHost));
        (estimate.Devices[^1] with { WeightBytes = 0 }).Should().Be(session.Memory.Devices[^1] with { WeightBytes = 0 });

        // A mapping reaches from the first to the last tensor that the CPU reads, over those that lie elsewhere.
        session.Memory.Devices[^1].WeightBytes.Should().BeInRange(estimate.Devices[^1].WeightBytes, GgufModelFiles.Open(tiny.Path).Length);
    }

    [Test]
    public void An_estimate_takes_no_memory()
    {
        TinyModel tiny = TinyModels.Olmoe();
        var vast = new ContextOptions { ContextLength = 1 << 26 };

        MemoryBreakdown estimate = MoeModel.EstimateMemory(tiny.Path, _device.Options, vast);

        estimate.Devices[0].ContextBytes.Should().BeGreaterThan(1L << 34);
    }

    // Each tensor starts at a multiple of the device's alignment.
    private static long Padding(MoeModel model) => model.Placement.TensorCount * 128L;
}
