namespace MoeOffload;

/// <summary>
/// Guesses what a generation will say next and computes several tokens of it in one step. Each guess is held against the token that the
/// request's own samplers choose, and dropped where it differs: the output is that of plain decoding, apart from the rounding of larger
/// batches. Plain data: making one calls nothing.
/// </summary>
/// <remarks>
/// By itself, the guess is what followed the last tokens the last time that they appeared in the prompt or the answer. That helps where
/// answers repeat their prompts: summaries, edits of code, quotations. A model's own layers for multi-token prediction guess anywhere, at
/// the cost of one layer; so does a draft model, which takes more time and memory. Guesses that are dropped cost time, and so do right ones
/// where several tokens cost as much as they would one after the other: those of a MoE choose experts of their own, and a CPU has no
/// arithmetic to spare. On two CPU cores nothing was seen to gain, and the lookup lost up to 12 %: leave it off there, and measure with
/// <c>./build.sh bench speculation</c> elsewhere.
/// </remarks>
public sealed record SpeculationOptions
{
    // Sequences and guesses share llama.cpp's outputs of one step.
    private const int MostTokens = 64;
    private const int LongestMatch = 64;

    /// <summary>Most tokens that are guessed at once. Default: 8.</summary>
    public int MaxDraftTokens { get; init; } = 8;

    /// <summary>
    /// Whether the model's own layers for multi-token prediction (MTP, also NextN) guess instead of the lookup, where it has them:
    /// <see cref="ModelInfo.MtpLayerCount"/> says so, and <see cref="ModelOptions.LoadMtpLayers"/> must have been set. They take a KV
    /// cache of their own, and memory for the hidden states of one step. Of several layers each guesses one token, so that there are no
    /// more guesses at once than layers; a single one guesses as many as <see cref="MaxDraftTokens"/> says, of which the first are the
    /// best: 2 to 4 are usual. What comes back from system memory or a saved state has nothing in that cache, and is guessed on less well.
    /// Default: false.
    /// </summary>
    public bool UseMtpLayers { get; init; }

    /// <summary>
    /// A smaller model with the same vocabulary, which guesses instead of the lookup. The session keeps its memory, and makes a context
    /// of the same length for it. Default: null.
    /// </summary>
    public LoadedModel? DraftModel { get; init; }

    /// <summary>Tokens at the end that must have appeared before; the longest match is tried first. Default: 4.</summary>
    public int LongestLookup { get; init; } = 4;

    /// <summary>Least tokens at the end that must have appeared before. Default: 2.</summary>
    public int ShortestLookup { get; init; } = 2;

    /// <summary>
    /// Share of guesses, from 0 to 1, of which at least as many must be right for a generation to go on guessing. Where fewer are, it
    /// guesses one token now and then, up to 64 tokens apart, until that is right; the number of guesses grows again with those that are
    /// right. 0 always guesses as many as it can. Default: 0.5.
    /// </summary>
    public float LeastAcceptance { get; init; } = 0.5f;

    internal void Validate()
    {
        OptionRange.Check(LeastAcceptance, 0, 1, nameof(LeastAcceptance), "the share of guesses that must be right; 0 never stops guessing");
        OptionRange.Check(MaxDraftTokens, 1, MostTokens, nameof(MaxDraftTokens), "each takes an output of every sequence");
        OptionRange.Check(LongestLookup, 1, LongestMatch, nameof(LongestLookup), "longer matches are too rare to help");
        OptionRange.Check(ShortestLookup, 1, LongestLookup, nameof(ShortestLookup), "it is at most LongestLookup");
        if (UseMtpLayers && DraftModel is not null)
        {
            throw new ArgumentException("Either the model's MTP layers guess or a draft model does: leave DraftModel null, or UseMtpLayers off.", nameof(UseMtpLayers));
        }
    }
}
