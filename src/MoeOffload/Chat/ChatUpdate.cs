namespace MoeOffload.Chat;

/// <summary>Represents what a chat stream adds to the answer.</summary>
public sealed record ChatUpdate
{
    /// <summary>Gets or sets the text that is added to the content.</summary>
    public string Content { get; init; } = string.Empty;

    /// <summary>Gets or sets the text that is added to the reasoning.</summary>
    public string ReasoningContent { get; init; } = string.Empty;

    /// <summary>Gets or sets what is added to tool calls.</summary>
    public IReadOnlyList<ToolCallUpdate> ToolCalls { get; init; } = [];

    /// <summary>
    /// Gets or sets the tokens that were generated since the previous update, with log-probabilities if <see cref="ChatOptions.Sampling"/>
    /// requests them. Some of their text might not be part of any update, such as the tags around a tool call.
    /// </summary>
    public IReadOnlyList<GeneratedToken> Tokens { get; init; } = [];

    /// <summary>Gets or sets the reason that the answer ended if this is the last update; otherwise, <see langword="null"/>.</summary>
    public ChatFinishReason? FinishReason { get; init; }

    /// <summary>Gets or sets the whole answer if this is the last update; otherwise, <see langword="null"/>.</summary>
    public ChatMessage? Message { get; init; }

    /// <summary>Gets or sets the statistics of the generation if this is the last update; otherwise, <see langword="null"/>.</summary>
    public GenerationStatistics? Statistics { get; init; }

    /// <summary>Gets the update that adds nothing. It is shared so that a loop that polls a stream does not allocate.</summary>
    internal static ChatUpdate Empty { get; } = new();

    internal bool IsEmpty => Content.Length == 0 && ReasoningContent.Length == 0 && ToolCalls.Count == 0;
}
