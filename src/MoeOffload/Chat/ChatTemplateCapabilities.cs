namespace MoeOffload.Chat;

/// <summary>Represents the capabilities of a chat template, as detected by llama.cpp.</summary>
public sealed record ChatTemplateCapabilities
{
    /// <summary>
    /// Gets a value that indicates whether the template supports system messages. If it does not, they are merged into the next message.
    /// </summary>
    public required bool SystemRole { get; init; }

    /// <summary>Gets a value that indicates whether the template renders tool definitions.</summary>
    public required bool Tools { get; init; }

    /// <summary>Gets a value that indicates whether the template renders tool calls and their results.</summary>
    public required bool ToolCalls { get; init; }

    /// <summary>Gets a value that indicates whether an answer can contain several tool calls.</summary>
    public required bool ParallelToolCalls { get; init; }
}
