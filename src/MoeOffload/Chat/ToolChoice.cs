namespace MoeOffload.Chat;

/// <summary>Whether the model calls tools.</summary>
public readonly record struct ToolChoice
{
    private ToolChoice(string kind, string? toolName)
    {
        Kind = kind;
        ToolName = toolName;
    }

    /// <summary>The model decides. The default.</summary>
    public static ToolChoice Auto => default;

    /// <summary>It calls none, but sees them where its template shows them.</summary>
    public static ToolChoice None { get; } = new("none", null);

    /// <summary>It calls at least one. A template that has no form of calls refuses that.</summary>
    public static ToolChoice Required { get; } = new("required", null);

    /// <summary>The tool that it must call; null unless made by <see cref="Tool"/>.</summary>
    public string? ToolName { get; }

    internal string Kind => field ?? "auto";

    internal bool IsRequired => Kind == "required";

    /// <summary>It calls this tool.</summary>
    /// <param name="name">The tool's name.</param>
    public static ToolChoice Tool(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new("required", name);
    }
}
