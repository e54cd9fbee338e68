using FluentAssertions;
using MoeOffload.Gguf;
using MoeOffload.Placement;
using NUnit.Framework;
using static MoeOffload.Tests.Placement.PlanningModels;

namespace MoeOffload.Tests.Placement;

/// <summary>What the planner decides, over sizes that a person can add up.</summary>
[TestFixture]
public sealed class PlacementPlannerTests
{
    private static readonly long s_compute = MemoryCosts.Estimate(Problem(Moe(), 0), expertsOffloaded: true).DeviceComputeBytes[0];

    // What every token needs: 8 layers with their KV cache, and the output layer.
    private static readonly long s_dense = (8 * (Dense + Mebibyte)) + Output + s_compute;

    [Test]
    public void Everything_goes_to_a_device_that_holds_everything()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), 1L << 34));

        plan.Fits.Should().BeTrue();
        plan.ToString().Should().Be("-ngl 9");
        plan.DeviceBytesPerToken.Should().Be(plan.BytesPerToken);
        plan.ExpertLayersOnDevices.Should().Be(8);
    }

    [Test]
    public void Experts_of_late_layers_use_what_the_other_tensors_leave_free()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), s_dense + (3 * 3 * Part)));

        plan.ToString().Should().Be("-ngl 9 --n-cpu-moe 5");
        plan.Memory[0].WeightBytes.Should().Be((8 * Dense) + Output + (9 * Part));
        plan.Memory[0].ContextBytes.Should().Be(8 * Mebibyte);
        plan.Memory[^1].WeightBytes.Should().Be(Output + (5 * 3 * Part));
        plan.ExpertLayersOnDevices.Should().Be(3);
    }

    [Test]
    public void Parts_of_one_more_layer_use_the_rest()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), s_dense + (4 * Part)));

        plan.Placement.Rules.Should().Equal(
            new PlacementRule(ExpertTensors.PatternOf([0, 1, 2, 3, 4, 5]), "CPU"),
            new PlacementRule(@"blk\.6\.ffn_(up|gate)_(ch|)exps", "CPU"));
        plan.Memory[0].TotalBytes.Should().Be(s_dense + (4 * Part));
    }

    [Test]
    public void Layers_stay_in_system_memory_if_not_even_attention_fits()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), s_compute + Output + (3 * (Dense + Mebibyte))));

        plan.GpuLayers.Should().Be(4);
        plan.Memory[0].ContextBytes.Should().Be(3 * Mebibyte);
        plan.Memory[^1].ContextBytes.Should().Be(5 * Mebibyte);
        plan.ExpertLayersOnDevices.Should().Be(0);
    }

    [Test]
    public void A_device_that_is_too_small_is_left_out()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), s_compute / 2, 1L << 34));

        plan.Devices.Should().Equal("GPU1");
        plan.TensorSplit.Should().BeNull();
        plan.ToString().Should().Be("-dev GPU1 -ngl 9");
        PlacementPlanner.Plan(Problem(Moe(), Mebibyte)).ToString().Should().Be("-dev none -ngl 0");
    }

    [Test]
    public void Devices_are_equally_full_if_everything_fits()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(40), 4L << 30, 8L << 30));

        plan.Fits.Should().BeTrue();
        plan.DeviceBytesPerToken.Should().Be(plan.BytesPerToken);
        double[] fill = [.. plan.Memory.Take(2).Select(use => use.TotalBytes / (double)use.FreeBytes)];
        fill[0].Should().BeApproximately(fill[1], 0.03);
    }

    [Test]
    public void Several_devices_hold_the_experts_of_their_own_late_layers()
    {
        PlacementProblem problem = Problem(Moe(), (s_dense / 2) + s_compute + (4 * Part), (s_dense / 2) + s_compute + (4 * Part));

        PlacementPlan plan = PlacementPlanner.Plan(problem);

        plan.TensorSplit.Should().HaveCount(2);
        plan.TensorSplit!.Sum().Should().Be(9);
        foreach ((PlannedMemory use, int device) in plan.Memory.Take(2).Select((use, device) => (use, device)))
        {
            use.WeightBytes.Should().Be(problem.Model.Tensors.Where(tensor => PlaceOf(problem, plan, tensor.Name) == device).Sum(tensor => tensor.Bytes));
            use.TotalBytes.Should().BeInRange(use.FreeBytes - (3 * Part), use.FreeBytes);
        }
    }

    [Test]
    public void What_the_user_has_set_is_kept()
    {
        PlacementProblem free = Problem(Moe(), s_dense + (9 * Part));
        var experts = TensorPlacement.ExpertsToCpu([7]);

        PlacementPlan layers = PlacementPlanner.Plan(free with { GpuLayers = 4 });
        PlacementPlan rules = PlacementPlanner.Plan(free with { Placement = experts });
        PlacementPlan onDevice = PlacementPlanner.Plan(free with { Placement = TensorPlacement.Parse(@"blk\.0\.ffn_up=GPU0") });
        PlacementPlan split = PlacementPlanner.Plan(Problem(Moe(), 1L << 34, 1L << 34) with { TensorSplit = [2, 1] });

        layers.GpuLayers.Should().Be(4);
        layers.ExpertLayersOnDevices.Should().Be(3, "the memory of the other layers' attention is left to experts");
        rules.Placement.Rules[0].Should().Be(experts.Rules[0]);
        rules.Memory[^1].WeightBytes.Should().Be(Output + (5 * 3 * Part), "the experts of layer 7 leave room for those of another layer");
        onDevice.Memory[0].WeightBytes.Should().Be((8 * Dense) + Output + (9 * Part));
        onDevice.Placement.Rules.Should().HaveCountGreaterThan(1);
        split.TensorSplit.Should().Equal(2, 1);
        split.LayerCounts.Should().Equal(6, 3);
    }

    [Test]
    public void A_cache_that_the_user_keeps_in_system_memory_takes_none_of_a_device()
    {
        PlacementProblem problem = Problem(Moe(), s_dense);

        PlacementPlan plan = PlacementPlanner.Plan(problem with { Context = problem.Context with { IsOffloaded = false } });

        plan.Memory[0].ContextBytes.Should().Be(0);
        plan.Memory[^1].ContextBytes.Should().Be(8 * Mebibyte);
    }

    [Test]
    public void Experts_that_stay_in_the_file_take_the_limit_only_and_devices_get_rules_of_their_own()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), s_dense + (3 * Part)) with { ExpertMemory = 5 * Part });

        plan.Memory[^1].WeightBytes.Should().Be(Output + (5 * Part));
        plan.Placement.Rules.Should().Equal(new PlacementRule(ExpertTensors.PatternOf([7]), "GPU0"));
    }

    [Test]
    public void A_device_that_uses_system_memory_counts_there_too()
    {
        PlacementProblem problem = Problem(Moe(), 1L << 34);
        PlacementPlan alone = PlacementPlanner.Plan(problem);
        long needed = alone.Memory.Sum(use => use.TotalBytes);

        PlacementProblem shared = problem with { Devices = [problem.Devices[0] with { SharesHostMemory = true }] };

        PlacementPlanner.Plan(shared with { HostBytes = needed }).Fits.Should().BeTrue();
        PlacementPlanner.Plan(shared with { HostBytes = needed - 1 }).Memory[0].TotalBytes.Should().BeLessThan(alone.Memory[0].TotalBytes);
    }

    [Test]
    public void An_output_layer_that_shares_the_embeddings_is_a_copy_on_a_device()
    {
        PlacementModel model = Moe() with { Tensors = [.. Moe().Tensors.Where(tensor => tensor.Name != "output.weight")] };

        PlacementPlan plan = PlacementPlanner.Plan(Problem(model, 1L << 34));

        plan.Memory[0].WeightBytes.Should().Be((8 * Dense) + (24 * Part) + Output);
        plan.Memory[^1].WeightBytes.Should().Be(Output);
        PlacementPlanner.Plan(Problem(model)).Memory[^1].WeightBytes.Should().Be((8 * Dense) + (24 * Part) + Output);
    }

    [Test]
    public void A_dense_model_is_split_by_layers()
    {
        PlacementModel dense = Moe() with
        {
            Tensors = [.. Moe().Tensors.Where(tensor => !tensor.Name.Contains("_exps", StringComparison.Ordinal))],
            ExpertCount = 0,
            ExpertUsedCount = 0,
        };
        long compute = MemoryCosts.Estimate(Problem(dense, 0), expertsOffloaded: false).DeviceComputeBytes[0];

        PlacementPlan plan = PlacementPlanner.Plan(Problem(dense, compute + Output + (2 * (Dense + Mebibyte))));

        plan.ToString().Should().Be("-ngl 3");
        plan.ExpertLayers.Should().Be(0);
    }

    [Test]
    public void The_margin_stays_free()
    {
        PlacementProblem problem = Problem(Moe(), s_dense + (9 * Part));

        PlacementPlan plan = PlacementPlanner.Plan(problem with { Margin = 2 * Part });

        plan.Memory[0].TotalBytes.Should().Be(s_dense + (7 * Part));
        plan.Margin.Should().Be(2 * Part);
    }

    [Test]
    public void What_does_not_fit_is_refused_with_what_would()
    {
        PlacementProblem problem = Problem(Moe()) with { HostBytes = 700 * Mebibyte, Context = new ContextShape { Length = 1 << 15, SequenceCount = 4 } };

        PlacementPlan plan = PlacementPlanner.Plan(problem);

        plan.Fits.Should().BeFalse();
        plan.Shortage.Should().StartWith("system memory is ").And.EndWith(" MiB too small");
        plan.Alternatives.Should().NotBeEmpty();
        plan.Alternatives.Should().AllSatisfy(change =>
        {
            PlacementPlan tried = PlacementPlanner.Plan(problem with { Context = change.Context, ExpertMemory = change.ExpertMemory });
            tried.Fits.Should().BeTrue(change.Description);
            tried.Memory.Should().Equal(change.Memory);
        });
    }

    [Test]
    public void Changes_that_fit_only_together_are_listed_together()
    {
        PlacementProblem problem = Problem(Moe()) with { HostBytes = 400 * Mebibyte, Context = new ContextShape { Length = 1 << 15 } };

        PlacementPlan plan = PlacementPlanner.Plan(problem);

        PlacementAlternative change = plan.Alternatives.Should().ContainSingle().Subject;
        change.Context.Length.Should().Be(problem.Context.Length);
        change.Description.Should().StartWith("a micro-batch of 128 tokens, keys and values of the type q8_0").And.Contain(", and a limit of ");
        change.Description.Should().NotContain("request", "the model serves one at a time already").And.NotContain("context");
    }

    [Test]
    public void A_machine_without_any_use_for_the_model_has_no_alternatives()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe()) with { HostBytes = Mebibyte });

        plan.Fits.Should().BeFalse();
        plan.Alternatives.Should().BeEmpty();
    }

    [Test]
    public void A_layer_that_the_user_demands_on_a_device_without_room_is_refused_by_its_name()
    {
        PlacementPlan plan = PlacementPlanner.Plan(Problem(Moe(), Mebibyte) with { GpuLayers = 9 });

        plan.Fits.Should().BeFalse();
        plan.GpuLayers.Should().Be(9);
        plan.Shortage.Should().StartWith("GPU0 is ");
    }

    [Test]
    public void Values_out_of_range_are_rejected()
    {
        PlacementProblem problem = Problem(Moe(), 1L << 30);
        Action[] wrong =
        [
            () => PlacementPlanner.Plan(problem with { HostBytes = -1 }),
            () => PlacementPlanner.Plan(problem with { Margin = -1 }),
            () => PlacementPlanner.Plan(problem with { GpuLayers = -1 }),
            () => PlacementPlanner.Plan(problem with { ExpertMemory = 0 }),
            () => PlacementPlanner.Plan(problem with { TensorSplit = [0, 0] }),
            () => PlacementPlanner.Plan(problem with { Devices = [problem.Devices[0], problem.Devices[0]] }),
            () => PlacementPlanner.Plan(problem with { Context = new ContextShape { SequenceCount = 0 } }),
            () => PlacementPlanner.Plan(problem with { Context = new ContextShape { KeyType = (GgmlType)1000 } }),
        ];

        wrong.Should().AllSatisfy(plan => plan.Should().Throw<ArgumentException>());
    }
}
