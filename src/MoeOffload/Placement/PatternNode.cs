namespace MoeOffload;

/// <summary>A piece of a parsed pattern.</summary>
/// <param name="Size">How many states it becomes.</param>
internal abstract record PatternNode(int Size)
{
    /// <summary>Something that is one state.</summary>
    public sealed record Single(PatternState State) : PatternNode(1);

    /// <summary>Pieces one after the other.</summary>
    public sealed record Sequence(IReadOnlyList<PatternNode> Items, int Size) : PatternNode(Size);

    /// <summary>One piece or the other, the left first.</summary>
    public sealed record Either(PatternNode Left, PatternNode Right, int Size) : PatternNode(Size);

    /// <summary>A piece, as often as it takes.</summary>
    public sealed record Repeat(PatternNode Body, int Least, int? Most, bool Lazy, int Size) : PatternNode(Size);

    /// <summary>A captured piece.</summary>
    public sealed record Group(int Number, PatternNode Body, int Size) : PatternNode(Size);

    /// <summary>A piece that must, or must not, follow.</summary>
    public sealed record Lookahead(PatternNode Body, bool Negative, int Size) : PatternNode(Size);
}
