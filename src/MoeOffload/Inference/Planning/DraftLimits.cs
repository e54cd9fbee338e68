namespace MoeOffload.Inference.Planning;

/// <summary>How tokens are drafted ahead.</summary>
internal sealed record DraftLimits
{
    /// <summary>Gets the most tokens that are drafted at once.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Gets the share of drafted tokens, from 0 to 1, that must be accepted for a generation to go on drafting.</summary>
    public required float LeastAcceptance { get; init; }

    /// <summary>Gets the longest match that a lookup tries, in tokens; 0 if tokens are not looked up.</summary>
    public int LongestLookup { get; init; }

    /// <summary>Gets the shortest match that a lookup tries, in tokens.</summary>
    public int ShortestLookup { get; init; }
}
