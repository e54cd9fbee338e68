using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents how the threads of a context are used.</summary>
/// <param name="Adaptive">What adapts the number of threads, or null to keep the number of the context.</param>
/// <param name="Placement">The priority and the processors of the context's thread.</param>
/// <param name="Budget">What limits the time of the computation, or null if nothing does.</param>
internal sealed record ThreadControl(AdaptiveThreads? Adaptive, ThreadPlacement Placement, BudgetAccount? Budget)
{
    /// <summary>Gets the control that changes nothing.</summary>
    public static ThreadControl None { get; } = new(null, ThreadPlacement.Default, null);

    /// <summary>Creates the control of a context.</summary>
    public static ThreadControl For(ContextParameters parameters) =>
        new(AdaptiveThreads.For(parameters), parameters.Placement, BudgetAccount.For(parameters));
}
