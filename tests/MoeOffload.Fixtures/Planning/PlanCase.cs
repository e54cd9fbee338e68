namespace MoeOffload.Fixtures;

/// <summary>A model, its placement and its context, for which a plan is compared with what loading then takes.</summary>
/// <param name="Model">The architecture, one of <see cref="PlanCases.Models"/>.</param>
/// <param name="Devices">The number of RPC devices. With 0, only the CPU computes.</param>
/// <param name="Placement"><c>all</c> on the devices, <c>experts</c> in system memory, or <c>fit</c>: what fits on devices that are too small for everything.</param>
/// <param name="Context">The length of the context, in tokens.</param>
/// <param name="Cache">The type of the KV cache.</param>
/// <param name="MicroBatch">The number of tokens that are computed together.</param>
/// <param name="Parallel">The number of sequences.</param>
public sealed record PlanCase(string Model, int Devices, string Placement, int Context, string Cache, int MicroBatch, int Parallel)
{
    public const string All = "all";
    public const string Experts = "experts";
    public const string Fit = "fit";
}
