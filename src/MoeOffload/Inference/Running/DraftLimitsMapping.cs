using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>Maps <see cref="SpeculationOptions"/> onto what the planner takes.</summary>
internal static class DraftLimitsMapping
{
    /// <summary>Says how tokens are drafted ahead.</summary>
    public static DraftLimits ToLimits(this SpeculationOptions options) => new()
    {
        MaxTokens = options.MaxDraftTokens,
        LeastAcceptance = options.LeastAcceptance,
        LongestLookup = options.LongestLookup,
        ShortestLookup = options.ShortestLookup,
    };
}
