namespace MoeOffload.Inference.Planning;

/// <summary>Specifies an operation on the KV cache.</summary>
internal enum CacheOperationKind
{
    /// <summary>Reads the first cached position of a sequence. The result is the position, or -1 if the sequence is empty.</summary>
    FindFirstPosition,

    /// <summary>Reads the size of the state of a sequence. The result is in bytes.</summary>
    MeasureState,

    /// <summary>Removes the tokens of a sequence from a position onwards. Fails if the cache does not support partial removal.</summary>
    Trim,

    /// <summary>Copies a sequence to another one.</summary>
    Copy,

    /// <summary>Removes a range of positions and moves the later ones down. Fails, without any change, if the cache does not support it.</summary>
    Shift,

    /// <summary>Copies a sequence to system memory. Fails if there is not enough memory.</summary>
    SwapOut,

    /// <summary>Restores a sequence from system memory. Fails if there is no room; the sequence is then empty.</summary>
    SwapIn,
}

/// <summary>
/// Represents an operation on the KV cache. Operations are performed in order, and the next one depends on the result of the previous one.
/// </summary>
internal readonly struct CacheOperation
{
    private CacheOperation(CacheOperationKind kind, int sequence)
    {
        Kind = kind;
        Sequence = sequence;
    }

    /// <summary>Gets the kind of the operation.</summary>
    public CacheOperationKind Kind { get; }

    /// <summary>Gets the sequence to operate on.</summary>
    public int Sequence { get; }

    /// <summary>Gets the sequence to copy from.</summary>
    public int Source { get; private init; }

    /// <summary>Gets the first position to remove.</summary>
    public int From { get; private init; }

    /// <summary>Gets the position after the last one that a shift removes.</summary>
    public int To { get; private init; }

    /// <summary>Gets the tokens of the sequence to swap out.</summary>
    public int[] Tokens { get; private init; } = [];

    /// <summary>Gets the sequence to swap in.</summary>
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
