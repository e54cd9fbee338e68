namespace MoeOffload;

/// <summary>Represents a snapshot of the state of a session and its totals since it was created.</summary>
public sealed record SessionStatistics
{
    /// <summary>Gets the number of generations that are running.</summary>
    public required int RunningCount { get; init; }

    /// <summary>Gets the number of generations that are waiting for a slot.</summary>
    public required int QueuedCount { get; init; }

    /// <summary>Gets the number of CPU threads that computed the last step.</summary>
    public required int ThreadCount { get; init; }

    /// <summary>Gets the total number of generations that were assigned a slot.</summary>
    public required long RequestCount { get; init; }

    /// <summary>Gets the total number of prompt tokens of these generations.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Gets the total number of prompt tokens that were taken from the prefix cache.</summary>
    public required long CachedPromptTokens { get; init; }

    /// <summary>Gets the total number of generations for which a part of the prompt was found in the prefix cache.</summary>
    public required long PrefixHits { get; init; }

    /// <summary>Gets the number of tokens in the KV cache that belong to ended generations and are kept for reuse.</summary>
    public required long PrefixCacheTokens { get; init; }

    /// <summary>Gets the total number of cached sequences that were evicted from the KV cache.</summary>
    public required long Evictions { get; init; }

    /// <summary>Gets the total number of cached sequences that were swapped out to system memory.</summary>
    public required long SwapOuts { get; init; }

    /// <summary>Gets the total number of cached sequences that were swapped in from system memory.</summary>
    public required long SwapIns { get; init; }

    /// <summary>Gets the size of the swapped-out sequences in system memory, in bytes.</summary>
    public required long SwappedOutBytes { get; init; }
}
