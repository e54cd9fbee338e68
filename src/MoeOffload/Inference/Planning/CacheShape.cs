namespace MoeOffload.Inference.Planning;

/// <summary>Represents the properties of a KV cache and of the prefix cache that a plan depends on.</summary>
internal sealed record CacheShape
{
    /// <summary>Gets the number of sequences.</summary>
    public required int SequenceCount { get; init; }

    /// <summary>Gets the number of cells, over all sequences.</summary>
    public required int CellCount { get; init; }

    /// <summary>Gets the maximum number of tokens in a sequence.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>Gets the maximum number of tokens in a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Gets a value that indicates whether all sequences share one buffer.</summary>
    public bool IsUnified { get; init; }

    /// <summary>Gets a value that indicates whether a sequence can be trimmed to any earlier position. A recurrent state cannot.</summary>
    public bool CanTrim { get; init; } = true;

    /// <summary>Gets the window of layers with sliding-window attention, in positions, or 0 if there are none.</summary>
    public int WindowLength { get; init; }

    /// <summary>Gets a value that indicates whether sequences are kept after their requests have ended.</summary>
    public bool KeepsPrefixes { get; init; } = true;

    /// <summary>Gets the maximum size of swapped-out sequences in system memory, in bytes.</summary>
    public long HostBytes { get; init; }
}
