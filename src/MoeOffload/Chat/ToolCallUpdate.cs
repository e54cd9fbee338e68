namespace MoeOffload.Chat;

/// <summary>A part of a tool call, as the model writes it.</summary>
public sealed record ToolCallUpdate
{
    /// <summary>Which call of the answer, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>The call's id, with its first part; else null.</summary>
    public string? Id { get; init; }

    /// <summary>The tool's name, with the first part; else null.</summary>
    public string? Name { get; init; }

    /// <summary>What is added to the arguments.</summary>
    public string Arguments { get; init; } = string.Empty;
}
