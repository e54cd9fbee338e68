namespace MoeOffload.Chat;

/// <summary>Why an answer ended.</summary>
public enum ChatFinishReason
{
    /// <summary>The model ended it, or a stop string did.</summary>
    Stop,

    /// <summary>The model called tools, and waits for their results.</summary>
    ToolCalls,

    /// <summary>The most tokens were reached, the context is full, or the time is over: the answer is cut.</summary>
    Length,
}
