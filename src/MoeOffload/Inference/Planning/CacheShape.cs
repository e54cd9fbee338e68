namespace MoeOffload.Inference.Planning;

/// <summary>What a plan must know of a KV cache and of what is to be kept in it.</summary>
internal sealed record CacheShape
{
    /// <summary>Gets how many sequences can run at once.</summary>
    public required int SequenceCount { get; init; }

    /// <summary>Gets the cells of the cache, over all sequences.</summary>
    public required int CellCount { get; init; }

    /// <summary>Gets the tokens that one sequence can hold.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>Gets the most tokens of one step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Gets whether all sequences share one buffer.</summary>
    public bool IsUnified { get; init; }

    /// <summary>Gets whether a sequence can be cut back to any earlier position; a recurrent state cannot.</summary>
    public bool CanTrim { get; init; } = true;

    /// <summary>Gets how many positions layers with sliding-window attention look back; 0 if there are none.</summary>
    public int WindowLength { get; init; }

    /// <summary>Gets whether anything is kept once its request has ended.</summary>
    public bool KeepsPrefixes { get; init; } = true;

    /// <summary>Gets the bytes of system memory to which sequences can be swapped out.</summary>
    public long HostBytes { get; init; }
}
