namespace MoeOffload;

/// <summary>Specifies why a generation ended.</summary>
public enum StopReason
{
    /// <summary>The model generated an end-of-generation token.</summary>
    EndOfSequence,

    /// <summary>The generation reached the maximum number of tokens.</summary>
    MaxTokens,

    /// <summary>The model generated a stop string, which is not part of the output.</summary>
    StopString,

    /// <summary>The sequence filled its share of the context.</summary>
    ContextFull,

    /// <summary>
    /// The time limit set by <see cref="GenerationRequest.Deadline"/> expired. A stream that ends this way might not have a last token that
    /// carries the reason; <see cref="TokenStream.StopReason"/> always returns it.
    /// </summary>
    Deadline,
}
