using FluentAssertions;
using FluentAssertions.Execution;
using NUnit.Framework;
using static MoeOffload.Tests.Placement.PlanningModels;

namespace MoeOffload.Tests.Placement;

/// <summary>What holds of every plan, over machines, models and constraints that a seed chooses.</summary>
[TestFixture]
public sealed class PlacementPlannerPropertyTests
{
    private static readonly IEnumerable<int> s_seeds = Enumerable.Range(0, 150);

    [Test]
    public void A_plan_that_fits_leaves_the_margin_free_and_says_exactly_what_is_where()
    {
        foreach (int seed in s_seeds)
        {
            using var scope = new AssertionScope($"seed {seed}");
            PlacementProblem problem = Make(new Random(seed));

            PlacementPlan plan = PlacementPlanner.Plan(problem);

            for (int device = 0; device < problem.Devices.Count; device++)
            {
                long weights = problem.Model.Tensors.Where(tensor => PlaceOf(problem, plan, tensor.Name) == device).Sum(tensor => tensor.Bytes);
                plan.Memory[device].WeightBytes.Should().Be(weights, plan.ToString());
                if (plan.Fits)
                {
                    plan.Memory[device].TotalBytes.Should().BeLessThanOrEqualTo(Math.Max(0, problem.Devices[device].FreeBytes - problem.Margin));
                }
            }

            if (plan.Fits)
            {
                plan.Memory[^1].TotalBytes.Should().BeLessThanOrEqualTo(problem.HostBytes - problem.Margin);
            }

            (plan.Shortage is null).Should().Be(plan.Fits);
            plan.DeviceBytesPerToken.Should().BeInRange(0, plan.BytesPerToken);
        }
    }

    [Test]
    public void More_memory_never_gives_a_worse_plan()
    {
        foreach (int seed in s_seeds)
        {
            using var scope = new AssertionScope($"seed {seed}");
            var random = new Random(seed);
            PlacementProblem problem = Make(random);
            PlacementProblem larger = problem with
            {
                HostBytes = problem.HostBytes + random.NextInt64(8 * Part),
                Devices = [.. problem.Devices.Select(device => device with { FreeBytes = device.FreeBytes + random.NextInt64(4 * Part) })],
            };

            PlacementPlan plan = PlacementPlanner.Plan(problem);
            PlacementPlan better = PlacementPlanner.Plan(larger);

            if (plan.Fits)
            {
                better.Fits.Should().BeTrue();
                better.DeviceBytesPerToken.Should().BeGreaterThanOrEqualTo(plan.DeviceBytesPerToken);
            }
        }
    }

    [Test]
    public void What_the_user_has_set_is_kept()
    {
        foreach (int seed in s_seeds)
        {
            using var scope = new AssertionScope($"seed {seed}");
            PlacementProblem problem = Make(new Random(seed));

            PlacementPlan plan = PlacementPlanner.Plan(problem);

            plan.Placement.Rules.Take(problem.Placement.Rules.Count).Should().Equal(problem.Placement.Rules);
            plan.GpuLayers.Should().Be(problem.GpuLayers ?? plan.GpuLayers);
            plan.TensorSplit.Should().Equal(problem.TensorSplit ?? plan.TensorSplit);
            plan.ExpertMemory.Should().Be(problem.ExpertMemory);
            plan.Context.Should().Be(problem.Context);
        }
    }

    [Test]
    public void Every_alternative_fits_when_it_is_tried()
    {
        foreach (int seed in s_seeds)
        {
            using var scope = new AssertionScope($"seed {seed}");
            PlacementProblem problem = Make(new Random(seed));
            problem = problem with { HostBytes = problem.HostBytes / 2 };

            PlacementPlan plan = PlacementPlanner.Plan(problem);

            foreach (PlacementAlternative change in plan.Alternatives)
            {
                PlacementPlan tried = PlacementPlanner.Plan(problem with { Context = change.Context, ExpertMemory = change.ExpertMemory });
                tried.Fits.Should().BeTrue(change.Description);
                tried.Memory.Should().Equal(change.Memory);
            }
        }
    }

    private static PlacementProblem Make(Random random)
    {
        PlacementModel model = Moe(random.Next(1, 12));
        int devices = random.Next(0, 4);
        return Problem(model, [.. Enumerable.Range(0, devices).Select(_ => random.NextInt64(1, 16 * Part))]) with
        {
            HostBytes = random.NextInt64(8 * Part, 50 * Part),
            Margin = random.NextInt64(0, Part),
            Context = new ContextShape { Length = 512 << random.Next(5), SequenceCount = 1 << random.Next(3) },
            GpuLayers = random.Next(3) == 0 ? random.Next(0, model.LayerCount + 3) : null,
            TensorSplit = devices > 1 && random.Next(4) == 0 ? [.. Enumerable.Range(0, devices).Select(_ => (float)random.Next(1, 4))] : null,
            ExpertMemory = random.Next(4) == 0 ? random.NextInt64(Part, 20 * Part) : null,
            Placement = random.Next(4) switch
            {
                0 => TensorPlacement.ExpertsToCpu(random.Next(1, 4)),
                1 when devices > 0 => TensorPlacement.Parse(@"blk\.0\.ffn_up_exps=GPU0"),
                _ => TensorPlacement.Default,
            },
        };
    }
}
