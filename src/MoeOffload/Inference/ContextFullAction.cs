namespace MoeOffload;

/// <summary>Specifies what a generation does when it fills its share of the context.</summary>
public enum ContextFullAction
{
    /// <summary>The generation ends with <see cref="StopReason.ContextFull"/>.</summary>
    Stop,

    /// <summary>The stream throws a <see cref="ContextFullException"/> after the last generated token.</summary>
    Error,

    /// <summary>
    /// The generation removes the older half of the tokens that follow the first <see cref="GenerationRequest.KeepTokens"/> tokens, and
    /// continues. The remaining tokens were computed with the removed ones in view, so the removed tokens still influence the output. If
    /// the model's KV cache does not support shifting, the request is rejected.
    /// </summary>
    Shift,
}
