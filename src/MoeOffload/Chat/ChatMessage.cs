namespace MoeOffload.Chat;

/// <summary>Represents a message of a chat.</summary>
public sealed record ChatMessage
{
    /// <summary>Gets or sets the role of the author.</summary>
    public required ChatRole Role { get; init; }

    private readonly string _content = string.Empty;
    private readonly IReadOnlyList<ChatPart> _parts = [];

    /// <summary>
    /// Gets or sets the content. It is empty if an assistant message only calls tools. If the message has <see cref="Parts"/>, it is their text,
    /// each on a line of its own; setting it removes the parts.
    /// </summary>
    public string Content
    {
        get => _content;
        init
        {
            _content = value ?? throw new ArgumentNullException(nameof(Content));
            _parts = [];
        }
    }

    /// <summary>
    /// Gets or sets the parts of a message that has not only text, in their order. Setting them replaces the <see cref="Content"/>. Images can be
    /// in messages of any role.
    /// </summary>
    public IReadOnlyList<ChatPart> Parts
    {
        get => _parts;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Parts));
            _parts = [.. value.Select(part => part ?? throw new ArgumentException("A part is null.", nameof(Parts)))];
            _content = string.Join('\n', _parts.Select(part => part.Text).OfType<string>());
        }
    }

    /// <summary>
    /// Gets or sets the reasoning of an assistant message, or <see langword="null"/> if there is none. The chat template decides whether
    /// the model sees it in later turns.
    /// </summary>
    public string? ReasoningContent { get; init; }

    /// <summary>Gets or sets the tool calls of an assistant message.</summary>
    public IReadOnlyList<ToolCall> ToolCalls
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(ToolCalls));
    } = [];

    /// <summary>Gets or sets the id of the tool call that a tool message answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Gets or sets the name of the tool whose result a tool message contains. Some templates require it.</summary>
    public string? ToolName { get; init; }

    /// <summary>Creates a system message.</summary>
    /// <param name="content">The content.</param>
    public static ChatMessage System(string content) => new() { Role = ChatRole.System, Content = content };

    /// <summary>Creates a user message.</summary>
    /// <param name="content">The content.</param>
    public static ChatMessage User(string content) => new() { Role = ChatRole.User, Content = content };

    /// <summary>Creates a user message of texts and images, such as <c>User("What is this?", PromptImage.FromFile("a.png"))</c>.</summary>
    /// <param name="parts">The parts, in their order.</param>
    public static ChatMessage User(params IReadOnlyList<ChatPart> parts) => new() { Role = ChatRole.User, Parts = parts };

    /// <summary>Creates an assistant message.</summary>
    /// <param name="content">The content.</param>
    public static ChatMessage Assistant(string content) => new() { Role = ChatRole.Assistant, Content = content };

    /// <summary>Creates a message with the result of a tool call.</summary>
    /// <param name="call">The tool call that the message answers.</param>
    /// <param name="content">The result, as text or JSON.</param>
    public static ChatMessage ToolResult(ToolCall call, string content)
    {
        ArgumentNullException.ThrowIfNull(call);
        return new ChatMessage { Role = ChatRole.Tool, Content = content, ToolCallId = call.Id, ToolName = call.Name };
    }
}
