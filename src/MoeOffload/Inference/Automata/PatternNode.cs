namespace MoeOffload.Inference.Automata;

/// <summary>Represents a part of a regular expression.</summary>
internal abstract record PatternNode
{
    /// <summary>Gets the expression that matches the empty text.</summary>
    public static PatternNode Empty { get; } = new Sequence([]);

    /// <summary>Creates an expression that matches a text.</summary>
    public static PatternNode Text(string text) => new Sequence([.. text.EnumerateRunes().Select(rune => new Characters(CharSet.Of((rune.Value, rune.Value))))]);

    /// <summary>Creates an expression that matches one character of a range.</summary>
    public static PatternNode Range(int from, int to) => new Characters(CharSet.Of((from, to)));

    /// <summary>Creates an expression that matches the parts one after another.</summary>
    public static PatternNode Join(params PatternNode[] parts) => new Sequence(parts);

    /// <summary>Matches one character of a set.</summary>
    public sealed record Characters(CharSet Set) : PatternNode;

    /// <summary>Matches the parts one after another.</summary>
    public sealed record Sequence(IReadOnlyList<PatternNode> Parts) : PatternNode;

    /// <summary>Matches one of the alternatives.</summary>
    public sealed record Choice(IReadOnlyList<PatternNode> Alternatives) : PatternNode;

    /// <summary>Matches the body a number of times.</summary>
    public sealed record Repetition(PatternNode Body, int Least, int? Most) : PatternNode;

    /// <summary>Matches the beginning or the end of the text.</summary>
    public sealed record Anchor(bool IsStart) : PatternNode;
}
