namespace MoeOffload.Chat;

/// <summary>A message of a chat. Plain data.</summary>
public sealed record ChatMessage
{
    /// <summary>Who says it.</summary>
    public required ChatRole Role { get; init; }

    /// <summary>What is said; empty where an assistant only calls tools.</summary>
    public string Content { get; init; } = string.Empty;

    /// <summary>What an assistant thought before; null for nothing. Templates decide whether the model sees it again.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The tools that an assistant calls.</summary>
    public IReadOnlyList<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>Of a tool's result, the call that it answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Of a tool's result, the tool's name, which some templates need.</summary>
    public string? ToolName { get; init; }

    /// <summary>Makes a system message.</summary>
    /// <param name="content">What it says.</param>
    public static ChatMessage System(string content) => new() { Role = ChatRole.System, Content = content };

    /// <summary>Makes a user's message.</summary>
    /// <param name="content">What it says.</param>
    public static ChatMessage User(string content) => new() { Role = ChatRole.User, Content = content };

    /// <summary>Makes an answer of the model.</summary>
    /// <param name="content">What it says.</param>
    public static ChatMessage Assistant(string content) => new() { Role = ChatRole.Assistant, Content = content };

    /// <summary>Makes the result of a tool.</summary>
    /// <param name="call">The call that it answers.</param>
    /// <param name="content">The result, as text or JSON.</param>
    public static ChatMessage ToolResult(ToolCall call, string content)
    {
        ArgumentNullException.ThrowIfNull(call);
        return new ChatMessage { Role = ChatRole.Tool, Content = content, ToolCallId = call.Id, ToolName = call.Name };
    }
}
