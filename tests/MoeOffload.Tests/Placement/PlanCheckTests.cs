using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Models;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Memory that shrinks between a plan and its load.</summary>
[TestFixture]
public sealed class PlanCheckTests
{
    private const long Mebibyte = 1 << 20;

    [Test]
    public void A_control_group_whose_limit_is_lowered_after_the_plan_leaves_too_little()
    {
        using var root = new TemporaryDirectory();
        root.Write("proc/meminfo", "MemAvailable: 8388608 kB\n");
        root.Write("proc/self/cgroup", "0::/\n");
        root.Write("proc/self/mountinfo", "31 20 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        root.Write("sys/fs/cgroup/memory.current", "0\n");
        SetLimit(1024 * Mebibyte);
        PlacementPlan plan = Plan(600 * Mebibyte, HostMemory.Available(root.Path));

        IReadOnlyList<(string, long)> before = Shortages();
        SetLimit(500 * Mebibyte);
        IReadOnlyList<(string, long)> after = Shortages();

        plan.Fits.Should().BeTrue();
        before.Should().BeEmpty();
        after.Should().Equal((DeviceTotal.Host, plan.Memory[^1].TotalBytes - (500 * Mebibyte)));

        void SetLimit(long bytes) => root.Write("sys/fs/cgroup/memory.max", $"{bytes}\n");
        IReadOnlyList<(string, long)> Shortages() =>
            PlanCheck.FindShortages(plan, new Dictionary<string, long> { [DeviceTotal.Host] = HostMemory.Available(root.Path) });
    }

    [Test]
    public void A_comparison_shows_plan_and_truth_side_by_side()
    {
        PlacementPlan plan = Plan(600 * Mebibyte, 1024 * Mebibyte);

        string text = PlanCheck.Compare(plan, new Dictionary<string, long> { [DeviceTotal.Host] = 500 * Mebibyte });

        text.Should().MatchRegex(@"^system memory: 6\d\d MiB were planned of 1,024 MiB, and 500 MiB are free now$");
    }

    [Test]
    public void A_device_that_does_not_report_its_memory_is_not_compared()
    {
        PlacementPlan plan = Plan(600 * Mebibyte, 1024 * Mebibyte);
        plan = plan with { Memory = [new PlannedMemory("GPU0", 100, 0, 0, 0, 0), .. plan.Memory] };

        PlanCheck.FindShortages(plan, new Dictionary<string, long> { ["GPU0"] = 0, [DeviceTotal.Host] = 1024 * Mebibyte }).Should().BeEmpty();
    }

    [Test]
    public void A_plan_that_no_longer_fits_is_not_loaded()
    {
        TinyModel tiny = TinyModels.Olmoe();
        var options = new ModelOptions { Devices = [] };
        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, Generations.SmallContext, new FitOptions { Margin = 0 });
        PlacementPlan larger = plan with { Memory = [plan.Memory[^1] with { OtherBytes = HostMemory.Total() }] };

        Action load = () => MoeModel.Load(tiny.Path, options.WithPlan(larger)).Dispose();

        load.Should().Throw<ModelLoadException>()
            .WithMessage("*olmoe*was not loaded, because less memory is free than was planned for: system memory: * MiB were planned of * MiB, and * MiB are free now. Plan again*");
        using MoeModel loaded = MoeModel.Load(tiny.Path, options.WithPlan(plan));
        loaded.Plan.Should().BeSameAs(plan);
        using MoeModel changed = MoeModel.Load(tiny.Path, options.WithPlan(larger) with { Placement = TensorPlacement.ExpertsToCpu() });
        changed.Plan.Should().BeNull("the placement is no longer the planned one");
    }

    [Test, Platform("Linux")]
    public void A_load_that_runs_out_all_the_same_says_what_was_planned_and_what_is_free()
    {
        using SecondDevice device = SecondDevice.Start();
        TinyModel tiny = TinyModels.Qwen3Moe(new TinyModelOptions { EmbeddingLength = 256, ExpertFeedForwardLength = 128 });
        ModelOptions options = device.Options with { LoadMode = LoadMode.None, FindProjector = false };
        PlacementPlan plan = MoeModel.Fit(tiny.Path, options, Generations.SmallContext, new FitOptions { Margin = 0 });
        device.Server.LimitMemory(plan.Memory[0].WeightBytes / 2);

        Action load = () => MoeModel.Load(tiny.Path, options.WithPlan(plan)).Dispose();

        load.Should().Throw<ModelLoadException>()
            .WithMessage($"*The placement was planned: {device.Name}: * MiB were planned of * MiB, and * MiB are free now; system memory: * were planned of *larger margin*");
    }

    private static PlacementPlan Plan(long weights, long free) => PlacementPlanner.Plan(new PlacementProblem
    {
        Model = new PlacementModel { Tensors = [new PlacementTensor("blk.0.attn_q.weight", weights)], LayerCount = 1 },
        HostBytes = free,
        Margin = 0,
        Context = new ContextShape { Length = 256 },
    });
}
