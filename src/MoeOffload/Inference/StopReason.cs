namespace MoeOffload;

/// <summary>Why a generation ended.</summary>
public enum StopReason
{
    /// <summary>The model ended its answer with an end-of-generation token.</summary>
    EndOfSequence,

    /// <summary>The maximum number of tokens was reached.</summary>
    MaxTokens,

    /// <summary>One of the stop strings appeared; it is not part of the text.</summary>
    StopString,

    /// <summary>The sequence fills its part of the context.</summary>
    ContextFull,

    /// <summary>
    /// The time of <see cref="GenerationRequest.Deadline"/> has passed. There may be no token that carries it:
    /// <see cref="TokenStream.StopReason"/> has it always.
    /// </summary>
    Deadline,
}
