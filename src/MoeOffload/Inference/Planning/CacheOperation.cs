namespace MoeOffload.Inference.Planning;

/// <summary>What can be done with the KV cache.</summary>
internal enum CacheOperationKind
{
    /// <summary>Reads the first position of a sequence that is still cached; its result is the position, -1 if the sequence is empty.</summary>
    FindFirstPosition,

    /// <summary>Reads how large a sequence's state is; its result is the number of bytes.</summary>
    MeasureState,

    /// <summary>Removes a sequence's tokens from a position on; fails if the cache cannot remove a part of a sequence.</summary>
    Trim,

    /// <summary>Makes a sequence hold what another one holds.</summary>
    Copy,

    /// <summary>Removes a range of positions and moves later ones down; fails if the cache cannot do that, and has then done nothing.</summary>
    Shift,

    /// <summary>Copies a sequence to system memory; fails if there is not enough.</summary>
    SwapOut,

    /// <summary>Makes a sequence hold what was swapped out; fails if there is no room, and the sequence is then empty.</summary>
    SwapIn,
}

/// <summary>One thing to do with the KV cache. Operations are carried out in their order, and the next one depends on the result.</summary>
internal readonly struct CacheOperation
{
    private CacheOperation(CacheOperationKind kind, int sequence)
    {
        Kind = kind;
        Sequence = sequence;
    }

    /// <summary>Gets what is to be done.</summary>
    public CacheOperationKind Kind { get; }

    /// <summary>Gets the sequence that it is done with.</summary>
    public int Sequence { get; }

    /// <summary>Gets the sequence that is copied.</summary>
    public int Source { get; private init; }

    /// <summary>Gets the first position that is removed.</summary>
    public int From { get; private init; }

    /// <summary>Gets the position after the last one that is removed by a shift.</summary>
    public int To { get; private init; }

    /// <summary>Gets the tokens that the sequence stands for when it is swapped out.</summary>
    public int[] Tokens { get; private init; } = [];

    /// <summary>Gets what is swapped in.</summary>
    public HostSequence? Host { get; private init; }

    /// <inheritdoc cref="CacheOperationKind.FindFirstPosition"/>
    public static CacheOperation FindFirstPosition(int sequence) => new(CacheOperationKind.FindFirstPosition, sequence);

    /// <inheritdoc cref="CacheOperationKind.MeasureState"/>
    public static CacheOperation MeasureState(int sequence) => new(CacheOperationKind.MeasureState, sequence);

    /// <inheritdoc cref="CacheOperationKind.Trim"/>
    public static CacheOperation Trim(int sequence, int from) => new(CacheOperationKind.Trim, sequence) { From = from };

    /// <inheritdoc cref="CacheOperationKind.Copy"/>
    public static CacheOperation Copy(int source, int sequence) => new(CacheOperationKind.Copy, sequence) { Source = source };

    /// <inheritdoc cref="CacheOperationKind.Shift"/>
    public static CacheOperation Shift(int sequence, int from, int to) => new(CacheOperationKind.Shift, sequence) { From = from, To = to };

    /// <inheritdoc cref="CacheOperationKind.SwapOut"/>
    public static CacheOperation SwapOut(int sequence, int[] tokens) => new(CacheOperationKind.SwapOut, sequence) { Tokens = tokens };

    /// <inheritdoc cref="CacheOperationKind.SwapIn"/>
    public static CacheOperation SwapIn(int sequence, HostSequence host) => new(CacheOperationKind.SwapIn, sequence) { Host = host };

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Sequence} (source {Source}, from {From}, to {To}, {Tokens.Length} tokens)";
}
