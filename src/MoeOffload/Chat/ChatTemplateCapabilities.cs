namespace MoeOffload.Chat;

/// <summary>What a chat template can, as llama.cpp finds by trying it.</summary>
public sealed record ChatTemplateCapabilities
{
    /// <summary>Whether it knows system messages; where not, they are joined to the next message.</summary>
    public required bool SystemRole { get; init; }

    /// <summary>Whether it shows tools to the model.</summary>
    public required bool Tools { get; init; }

    /// <summary>Whether it shows the model its calls and their results.</summary>
    public required bool ToolCalls { get; init; }

    /// <summary>Whether an answer may call several tools.</summary>
    public required bool ParallelToolCalls { get; init; }
}
