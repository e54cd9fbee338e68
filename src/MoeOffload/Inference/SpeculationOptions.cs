namespace MoeOffload;

/// <summary>
/// Provides options for speculative decoding, which drafts the next tokens of a generation and evaluates several of them in one step. A
/// draft token is accepted only if it is the token that the request's samplers select, so the output is that of plain decoding, apart from
/// the rounding of larger batches.
/// </summary>
/// <remarks>
/// By default, the draft is looked up: it repeats what followed the last occurrence of the most recent tokens in the prompt or the answer.
/// This helps if answers repeat parts of their prompts, as in summaries, code edits and quotations. The model's own layers for multi-token
/// prediction can draft anywhere and cost one layer; so can a draft model, which needs more time and memory. Rejected draft tokens cost
/// time. So can accepted ones if evaluating several tokens together costs as much as evaluating them one by one: the tokens of an MoE model
/// select different experts, and a CPU has no arithmetic capacity to spare. On two CPU cores, no gain was measured, and the lookup was up
/// to 12 % slower: leave speculation off there, and measure with <c>./build.sh bench speculation</c> on other hardware.
/// </remarks>
public sealed record SpeculationOptions
{
    // All sequences and draft tokens share the outputs that llama.cpp allows in one step.
    private const int MostDraftTokens = 64;
    private const int LargestNgram = 64;

    /// <summary>Gets or sets the maximum number of tokens in a draft, from 1 to 64. The default is 8.</summary>
    public int MaxDraftTokens { get; init; } = 8;

    /// <summary>
    /// Gets or sets a value that indicates whether the model's own layers for multi-token prediction (MTP, also called NextN) draft tokens
    /// instead of the lookup. The default is <see langword="false"/>.
    /// </summary>
    /// <remarks>
    /// This option has an effect only if <see cref="ModelInfo.MtpLayerCount"/> is greater than 0 and
    /// <see cref="ModelOptions.LoadMtpLayers"/> was set when the model was loaded. The layers need a KV cache of their own, and memory for
    /// the hidden states of one step. If there are several layers, each drafts one token, so a draft has at most as many tokens as there
    /// are layers. A single layer drafts up to <see cref="MaxDraftTokens"/> tokens, with decreasing accuracy; 2 to 4 are usual. Sequences
    /// that were swapped in from system memory or restored from a saved state have no entries in that KV cache, so fewer of their draft
    /// tokens are accepted.
    /// </remarks>
    public bool UseMtpLayers { get; init; }

    /// <summary>
    /// Gets or sets a smaller model with the same vocabulary that drafts tokens instead of the lookup, or <see langword="null"/> for none.
    /// The session keeps the model in memory and creates a context of the same length for it. The default is <see langword="null"/>.
    /// </summary>
    public LoadedModel? DraftModel { get; init; }

    /// <summary>
    /// Gets or sets the maximum size of the n-gram that the lookup searches for: the most recent tokens, from 1 to 64. The largest size is
    /// tried first. The default is 4.
    /// </summary>
    public int MaxNgramSize { get; init; } = 4;

    /// <summary>
    /// Gets or sets the minimum size of the n-gram that the lookup searches for, in tokens, from 1 to <see cref="MaxNgramSize"/>. The
    /// default is 2.
    /// </summary>
    public int MinNgramSize { get; init; } = 2;

    /// <summary>
    /// Gets or sets the minimum share of draft tokens, from 0 to 1, that must be accepted for a generation to keep drafting. If the share
    /// is lower, the generation only drafts a single token from time to time, up to 64 tokens apart, until one is accepted; the drafts then
    /// grow again with the accepted tokens. If the value is 0, every draft is as long as possible. The default is 0.5.
    /// </summary>
    public float MinAcceptanceRate { get; init; } = 0.5f;

    internal void Validate()
    {
        OptionRange.Check(MinAcceptanceRate, 0, 1, nameof(MinAcceptanceRate), "the share of draft tokens that must be accepted; 0 never stops drafting");
        OptionRange.Check(MaxDraftTokens, 1, MostDraftTokens, nameof(MaxDraftTokens), "each draft token needs an output for every sequence");
        OptionRange.Check(MaxNgramSize, 1, LargestNgram, nameof(MaxNgramSize), "larger n-grams are too rare to help");
        OptionRange.Check(MinNgramSize, 1, MaxNgramSize, nameof(MinNgramSize), "it is at most MaxNgramSize");
        if (UseMtpLayers && DraftModel is not null)
        {
            throw new ArgumentException("UseMtpLayers and DraftModel cannot be combined. Set DraftModel to null, or UseMtpLayers to false.", nameof(UseMtpLayers));
        }
    }
}
