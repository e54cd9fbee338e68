namespace MoeOffload;

/// <summary>Why an answer ended.</summary>
public enum ChatFinishReason
{
    /// <summary>The model ended it, or a stop string did.</summary>
    Stop,

    /// <summary>The model called tools, and waits for their results.</summary>
    ToolCalls,

    /// <summary>The most tokens were reached, or the context is full: the answer is cut.</summary>
    Length,
}
