using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>
/// Plans where the tensors of a model and its context are placed, so that generation is as fast as the memory allows. Works on plain data,
/// without native code: sizes of weights are exact, and those of the context and of compute buffers are estimated. <see cref="MoeModel.Fit"/>
/// plans for this machine, with the sizes of llama.cpp's own allocator.
/// </summary>
/// <remarks>
/// Devices first hold what each token needs: attention, norms, shared experts and the KV cache. The memory that is left holds experts, those
/// of late layers first, and of one more layer the matrices that fit. Several devices share the layers so that as much as possible is on
/// them; if everything fits, they are equally full. What the user has set is kept.
/// </remarks>
public static class PlacementPlanner
{
    /// <summary>Plans a placement. If nothing fits, the plan says what is missing, and which changes would help.</summary>
    /// <param name="problem">The model, the memory, the context, and what the user has set.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="ArgumentException">A value of the problem is out of range.</exception>
    /// <exception cref="PlacementException">Only llama.cpp's own engine can match the pattern of a rule.</exception>
    public static PlacementPlan Plan(PlacementProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        problem.Validate();
        return PlanAlternatives.AddTo(problem, PlanEstimated(problem), PlanEstimated);
    }

    /// <summary>Plans with certain costs, without alternatives.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="costs">Gets the costs of a context, depending on whether experts are in system memory while a device holds layers.</param>
    internal static PlacementPlan Plan(PlacementProblem problem, Func<PlacementProblem, bool, MemoryCosts> costs)
    {
        problem = problem with { Context = problem.Context.Resolve(problem.Model.TrainedContextLength) };
        var table = new LayerTable(problem);
        LayerLayout? together = new LayoutSearch(problem, table, costs(problem, false)).Find(layout => !layout.OffloadsExperts);
        LayerLayout? apart = together is { Fits: true } && together.HostExpertBytes == 0
            ? null
            : new LayoutSearch(problem, table, costs(problem, true)).Find(layout => layout.OffloadsExperts);
        LayerLayout best = together is null ? apart! : apart is null || !LayoutSearch.IsBetter(apart, together) ? together : apart;
        return PlanWriter.Write(problem, table, best);
    }

    /// <summary>Describes the memories that are too small.</summary>
    internal static string Describe(IEnumerable<(string Device, long Bytes)> shortages)
    {
        const double Mebibyte = 1 << 20;
        return string.Join("; ", shortages.Select(shortage => string.Create(
            CultureInfo.InvariantCulture,
            $"{NameOf(shortage.Device)} is {Math.Ceiling(shortage.Bytes / Mebibyte):N0} MiB too small")));
    }

    /// <summary>Gets the name of a device, or of system memory, in messages.</summary>
    internal static string NameOf(string device) => device == DeviceTotal.Host ? "system memory" : device;

    private static PlacementPlan PlanEstimated(PlacementProblem problem) => Plan(problem, MemoryCosts.Estimate);
}
