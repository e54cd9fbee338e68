namespace MoeOffload;

/// <summary>
/// Guesses what a generation will say next and computes several tokens of it in one step. Each guess is held against the token that the
/// request's own samplers choose, and dropped where it differs: the output is that of plain decoding, apart from the rounding of larger
/// batches. Plain data: making one calls nothing.
/// </summary>
/// <remarks>
/// Without a draft model, the guess is what followed the last tokens the last time that they appeared in the prompt or the answer. That
/// helps where answers repeat their prompts: summaries, edits of code, quotations. A draft model guesses anywhere, and takes time and
/// memory of its own. Guesses that are dropped cost time: measure.
/// </remarks>
public sealed record SpeculationOptions
{
    // Sequences and guesses share llama.cpp's outputs of one step.
    private const int MostTokens = 64;
    private const int LongestMatch = 64;

    /// <summary>Most tokens that are guessed at once. Default: 8.</summary>
    public int MaxDraftTokens { get; init; } = 8;

    /// <summary>
    /// A smaller model with the same vocabulary, which guesses instead of the lookup. The session keeps its memory, and makes a context
    /// of the same length for it. Default: null.
    /// </summary>
    public MoeModel? DraftModel { get; init; }

    /// <summary>Tokens at the end that must have appeared before; the longest match is tried first. Default: 4.</summary>
    public int LongestLookup { get; init; } = 4;

    /// <summary>Least tokens at the end that must have appeared before. Default: 2.</summary>
    public int ShortestLookup { get; init; } = 2;

    internal void Validate()
    {
        OptionRange.Check(MaxDraftTokens, 1, MostTokens, nameof(MaxDraftTokens), "each takes an output of every sequence");
        OptionRange.Check(LongestLookup, 1, LongestMatch, nameof(LongestLookup), "longer matches are too rare to help");
        OptionRange.Check(ShortestLookup, 1, LongestLookup, nameof(ShortestLookup), "it is at most LongestLookup");
    }
}
