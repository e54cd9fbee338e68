namespace MoeOffload.Chat;

/// <summary>Specifies whether the model calls tools.</summary>
public readonly record struct ToolChoice
{
    private ToolChoice(string kind, string? toolName)
    {
        Kind = kind;
        ToolName = toolName;
    }

    /// <summary>Gets the choice that lets the model decide whether it calls tools. This is the default.</summary>
    public static ToolChoice Auto => default;

    /// <summary>Gets the choice that prevents tool calls. The model still sees the tools if its template renders them.</summary>
    public static ToolChoice None { get; } = new("none", null);

    /// <summary>Gets the choice that requires at least one tool call. A template that does not support tool calls rejects it.</summary>
    public static ToolChoice Required { get; } = new("required", null);

    /// <summary>
    /// Gets the name of the tool that must be called, or <see langword="null"/> if the choice was not created by <see cref="Tool"/>.
    /// </summary>
    public string? ToolName { get; }

    internal string Kind => field ?? "auto";

    internal bool IsRequired => Kind == "required";

    /// <summary>Creates a choice that requires a call of the specified tool.</summary>
    /// <param name="name">The name of the tool.</param>
    public static ToolChoice Tool(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new("required", name);
    }
}
