namespace MoeOffload;

/// <summary>What a session does and has done so far, at one moment.</summary>
public sealed record SessionStatistics
{
    /// <summary>Generations that have a place.</summary>
    public required int RunningCount { get; init; }

    /// <summary>Generations that wait for one.</summary>
    public required int QueuedCount { get; init; }

    /// <summary>Generations that were given a place.</summary>
    public required long RequestCount { get; init; }

    /// <summary>Tokens of their prompts.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Tokens of their prompts that the prefix cache held already.</summary>
    public required long CachedPromptTokens { get; init; }

    /// <summary>Generations that found some of their prompt in the prefix cache.</summary>
    public required long PrefixHits { get; init; }

    /// <summary>Tokens that the KV cache keeps of generations that have ended.</summary>
    public required long KeptTokens { get; init; }

    /// <summary>Sequences of kept tokens that left the KV cache to make room.</summary>
    public required long Evictions { get; init; }

    /// <summary>Sequences of kept tokens that went to system memory.</summary>
    public required long Parkings { get; init; }

    /// <summary>Sequences of kept tokens that came back from system memory.</summary>
    public required long Restorations { get; init; }

    /// <summary>Bytes of system memory that parked sequences take.</summary>
    public required long ParkedBytes { get; init; }
}
