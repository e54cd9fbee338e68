using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>Converts <see cref="SpeculationOptions"/> to the limits that the planner uses.</summary>
internal static class DraftLimitsMapping
{
    /// <summary>Converts options to draft limits.</summary>
    public static DraftLimits ToLimits(this SpeculationOptions options) => new()
    {
        MaxTokens = options.MaxDraftTokens,
        MinAcceptanceRate = options.MinAcceptanceRate,
        MaxNgramSize = options.MaxNgramSize,
        MinNgramSize = options.MinNgramSize,
    };
}
