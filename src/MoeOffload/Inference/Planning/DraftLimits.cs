namespace MoeOffload.Inference.Planning;

/// <summary>Represents the limits of speculative decoding.</summary>
internal sealed record DraftLimits
{
    /// <summary>Gets the maximum number of tokens in a draft.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>Gets the minimum share of draft tokens, from 0 to 1, that must be accepted for a generation to keep drafting.</summary>
    public required float MinAcceptanceRate { get; init; }

    /// <summary>Gets the maximum size of the n-gram that the lookup searches for, in tokens, or 0 if there is no lookup.</summary>
    public int MaxNgramSize { get; init; }

    /// <summary>Gets the minimum size of the n-gram that the lookup searches for, in tokens.</summary>
    public int MinNgramSize { get; init; }
}
