namespace MoeOffload.Chat;

/// <summary>Represents a part of a tool call that is being generated.</summary>
public sealed record ToolCallUpdate
{
    /// <summary>Gets or sets the zero-based index of the call in the answer.</summary>
    public required int Index { get; init; }

    /// <summary>Gets or sets the id of the call if this is its first part; otherwise, <see langword="null"/>.</summary>
    public string? Id { get; init; }

    /// <summary>Gets or sets the name of the tool if this is the first part of the call; otherwise, <see langword="null"/>.</summary>
    public string? Name { get; init; }

    /// <summary>Gets or sets the text that is added to the arguments.</summary>
    public string Arguments { get; init; } = string.Empty;
}
