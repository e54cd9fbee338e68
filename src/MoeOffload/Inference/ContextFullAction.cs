namespace MoeOffload;

/// <summary>What a generation does when it fills its part of the context.</summary>
public enum ContextFullAction
{
    /// <summary>It ends with <see cref="StopReason.ContextFull"/>.</summary>
    Stop,

    /// <summary>It ends with a <see cref="ContextFullException"/>, after the last token that was generated.</summary>
    Error,

    /// <summary>
    /// It forgets the older half of what follows the first <see cref="GenerationRequest.ShiftKeep"/> tokens, and goes on. What it has
    /// forgotten still shows in what it remembers. Models whose KV cache cannot be shifted refuse the request.
    /// </summary>
    Shift,
}
