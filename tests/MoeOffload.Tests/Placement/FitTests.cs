using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Plans on real devices, compared with what llama.cpp reports after loading: the CPU, and two RPC servers with little memory.</summary>
[TestFixture]
public sealed class FitTests
{
    private const long Ample = 1L << 30;

    private static readonly ContextOptions s_context = Generations.SmallContext;

    private SecondDevice _first = null!;
    private SecondDevice _second = null!;

    [OneTimeSetUp]
    public void StartDevices()
    {
        _first = SecondDevice.Start();
        _second = SecondDevice.Start();
    }

    [OneTimeTearDown]
    public void StopDevices()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [TestCaseSource(typeof(TinyModels), nameof(TinyModels.All))]
    public void A_plan_for_two_small_devices_is_what_loading_then_takes(TinyModel tiny)
    {
        ModelOptions options = Both() with { LoadMode = LoadMode.None };
        long half = Needed(tiny, options) * 11 / 20;

        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, s_context, new FitOptions { Margin = 0, DeviceBytes = [half, half] });

        plan.Fits.Should().BeTrue();
        plan.IsExact.Should().BeTrue();
        plan.DeviceBytesPerToken.Should().BePositive();
        plan.Memory.Take(2).Should().AllSatisfy(use => use.TotalBytes.Should().BeLessThanOrEqualTo(half));
        Compare(tiny, options, plan);
    }

    [Test]
    public void A_device_with_room_for_everything_gets_everything()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        ModelOptions options = _first.Options with { LoadMode = LoadMode.None };

        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, s_context, new FitOptions { DeviceBytes = [Ample * 4] });

        plan.DeviceBytesPerToken.Should().Be(plan.BytesPerToken);
        plan.Placement.Should().Be(TensorPlacement.Default);
        Compare(tiny, options, plan);
    }

    [TestCaseSource(typeof(TinyModels), nameof(TinyModels.All))]
    public void A_plan_without_native_code_has_the_exact_sizes_of_weights_and_of_the_cache(TinyModel tiny)
    {
        ModelOptions options = new() { Devices = [], LoadMode = LoadMode.None, Repack = false };
        PlacementProblem problem = new()
        {
            Model = PlacementModel.Read(GgufModelFiles.Open(tiny.Path)),
            HostBytes = Ample,
            Context = new ContextShape { Length = s_context.ContextLength },
        };

        PlacementPlan plan = PlacementPlanner.Plan(problem);

        MemoryUse truth = MoeModel.EstimateMemory(tiny.Path, options, s_context).Total;
        plan.Memory[^1].WeightBytes.Should().BeCloseTo(truth.WeightBytes, (uint)(128 * problem.Model.Tensors.Count), "each tensor is padded");
        plan.Memory[^1].ContextBytes.Should().Be(truth.ContextBytes);
        plan.Memory[^1].ComputeBytes.Should().BeGreaterThanOrEqualTo(truth.ComputeBytes / 2);
    }

    [Test]
    public void A_machine_that_is_not_here_is_planned_with_estimates()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();

        PlacementPlan plan = MoeModel.Fit(tiny.Path, new ModelOptions(), s_context, new FitOptions { DeviceBytes = [8L << 30, 24L << 30], HostBytes = 32L << 30 });

        plan.Fits.Should().BeTrue();
        plan.IsExact.Should().BeFalse();
        plan.Devices.Should().NotBeEmpty().And.BeSubsetOf(["GPU0", "GPU1"]);
        plan.Memory.Select(use => use.FreeBytes).Should().Equal(8L << 30, 24L << 30, 32L << 30);
    }

    [Test]
    public void What_does_not_fit_is_refused_and_each_alternative_fits_when_it_is_tried()
    {
        TinyModel tiny = TinyModels.Olmoe();
        ModelOptions options = new() { Devices = [] };
        ContextOptions context = s_context with { ContextLength = 8192, SequenceCount = 4 };
        long needed = MoeModel.Fit(tiny.Path, options, context, new FitOptions { Margin = 0 }).Memory[^1].TotalBytes;
        var fit = new FitOptions { Margin = 0, HostBytes = needed - (needed / 10) };

        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, context, fit);

        plan.Fits.Should().BeFalse();
        plan.Shortage.Should().StartWith("system memory is ");
        plan.Alternatives.Should().HaveCountGreaterThan(2);
        foreach (PlacementAlternative change in plan.Alternatives)
        {
            ModelOptions changed = options with { Experts = change.ExpertMemory is { } limit ? ExpertStorage.Limit(limit) : null };
            PlacementPlan tried = MoeModel.Fit(tiny.Path, changed, context.With(change.Context), fit);
            tried.Fits.Should().BeTrue(change.Description);
            tried.Memory.Should().Equal(change.Memory);
        }
    }

    [Test]
    public void Experts_in_files_and_experts_on_a_device_are_planned_together()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        ModelOptions options = _first.Options with { LoadMode = LoadMode.None, Experts = ExpertStorage.Limit(2 << 20) };
        long needed = Needed(tiny, options with { Experts = null });

        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, s_context, new FitOptions { Margin = 0, DeviceBytes = [needed * 3 / 4] });

        plan.Fits.Should().BeTrue();
        plan.ExpertMemory.Should().Be(2 << 20);
        plan.Placement.Rules.Should().NotBeEmpty().And.OnlyContain(rule => rule.Buffer == _first.Buffer);
        Compare(tiny, options, plan);
    }

    [Test]
    public void A_draft_model_takes_memory_from_the_model()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        var alone = new FitOptions { HostBytes = Ample, Margin = 0 };
        ModelOptions options = new() { Devices = [] };

        PlacementPlan plain = MoeModel.Fit(tiny.Path, options, s_context, alone);
        PlacementPlan drafted = MoeModel.Fit(tiny.Path, options, s_context, alone with { DraftModelPath = tiny.Path });

        long draft = MoeModel.EstimateMemory(tiny.Path, options, s_context).Total.TotalBytes;
        drafted.Memory[^1].FreeBytes.Should().Be(plain.Memory[^1].FreeBytes - draft);
        MoeModel.Fit(tiny.Path, options, s_context, alone with { DraftModelPath = tiny.Path, HostBytes = draft }).Fits.Should().BeFalse();
    }

    [Test]
    public void Adapters_take_memory_where_the_tensors_are_that_they_change()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        string adapter = TinyAdapters.Write(tiny, TinyAdapters.IsAttention);
        long bytes = GgufFile.Open(adapter).Tensors.Sum(tensor => tensor.ByteCount);
        var room = new FitOptions { DeviceBytes = [Ample * 4], Adapters = [adapter] };

        PlacementPlan onDevice = MoeModel.Fit(tiny.Path, _first.Options, s_context, room);
        PlacementPlan onHost = MoeModel.Fit(tiny.Path, new ModelOptions { Devices = [] }, s_context, room with { DeviceBytes = null });

        onDevice.Memory[0].OtherBytes.Should().Be(bytes);
        (onHost.Memory[^1].OtherBytes - onDevice.Memory[^1].OtherBytes).Should().Be(bytes);
    }

    [Test]
    public void Constraints_that_are_set_are_kept()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        ModelOptions options = Both() with { GpuLayers = 2, TensorSplit = [1, 1], Placement = TensorPlacement.ExpertsToCpu([1]) };

        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, s_context, new FitOptions { DeviceBytes = [Ample * 4, Ample * 4] });

        plan.GpuLayers.Should().Be(2);
        plan.TensorSplit.Should().Equal(1, 1);
        plan.Placement.Rules[0].Should().Be(options.Placement.Rules[0]);
    }

    private ModelOptions Both() => new() { RpcServers = [_first.Server.Address, _second.Server.Address], Devices = [_first.Name, _second.Name] };

    private static long Needed(TinyModel tiny, ModelOptions options) =>
        MoeModel.EstimateMemory(tiny.Path, options, s_context).Devices.Where(use => !use.IsHost).Sum(use => use.TotalBytes);

    private static void Compare(TinyModel tiny, ModelOptions options, PlacementPlan plan)
    {
        using MoeModel model = MoeModel.Load(tiny.Path, options.WithPlan(plan));
        using GenerationSession session = model.CreateSession(s_context);
        foreach (PlannedMemory planned in plan.Memory)
        {
            MemoryUse truth = session.Memory.Devices.FirstOrDefault(use => use.Device == planned.Device)
                ?? new MemoryUse(planned.Device, planned.Device, false, 0, 0, 0);
            planned.WeightBytes.Should().Be(truth.WeightBytes, planned.Device);
            planned.ContextBytes.Should().Be(truth.ContextBytes, planned.Device);

            // Between two devices, llama.cpp's simulation counts up to four copies of a micro-batch's hidden states that do not exist then.
            long copies = 4L * s_context.ContextLength * model.Info.EmbeddingLength * sizeof(float);
            planned.ComputeBytes.Should().BeInRange(truth.ComputeBytes, truth.ComputeBytes + (plan.Devices.Count > 1 ? copies : 0), planned.Device);
        }
    }
}
