namespace MoeOffload.Chat;

/// <summary>Specifies why an answer ended.</summary>
public enum ChatFinishReason
{
    /// <summary>The model or a stop string ended the answer.</summary>
    Stop,

    /// <summary>The model called tools and is waiting for their results.</summary>
    ToolCalls,

    /// <summary>The answer was cut off: the maximum number of tokens was reached, the context is full, or the time limit expired.</summary>
    Length,
}
