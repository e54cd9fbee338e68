namespace MoeOffload.Diagnostics;

/// <summary>Represents how a simulated cache did on a trace.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="BudgetBytes">The size of the cache, in bytes.</param>
/// <param name="All">What all steps took.</param>
/// <param name="Decode">What the steps took that only decoded (<see cref="ExpertTraceStep.IsDecode"/>). The other steps change the cache too.</param>
public sealed record ExpertCacheResult(ExpertCachePolicy Policy, long BudgetBytes, ExpertCacheUse All, ExpertCacheUse Decode);
