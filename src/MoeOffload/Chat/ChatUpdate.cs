namespace MoeOffload.Chat;

/// <summary>What a stream of a chat adds to the answer.</summary>
public sealed record ChatUpdate
{
    /// <summary>What is added to the content.</summary>
    public string Content { get; init; } = string.Empty;

    /// <summary>What is added to the reasoning.</summary>
    public string ReasoningContent { get; init; } = string.Empty;

    /// <summary>What is added to tool calls.</summary>
    public IReadOnlyList<ToolCallUpdate> ToolCalls { get; init; } = [];

    /// <summary>
    /// The tokens that were generated since the last update, with log-probabilities where <see cref="ChatOptions.Sampling"/> asked for
    /// them. Some of their text may be in no update, such as the marks around a tool call.
    /// </summary>
    public IReadOnlyList<GeneratedToken> Tokens { get; init; } = [];

    /// <summary>On the last update, why the answer ended; else null.</summary>
    public ChatFinishReason? FinishReason { get; init; }

    /// <summary>On the last update, the whole answer; else null.</summary>
    public ChatMessage? Message { get; init; }

    /// <summary>On the last update, what the answer cost; else null.</summary>
    public GenerationStatistics? Statistics { get; init; }

    /// <summary>Gets the one that adds nothing: a loop that polls a stream gets it without an allocation.</summary>
    internal static ChatUpdate Empty { get; } = new();

    internal bool IsEmpty => Content.Length == 0 && ReasoningContent.Length == 0 && ToolCalls.Count == 0;
}
