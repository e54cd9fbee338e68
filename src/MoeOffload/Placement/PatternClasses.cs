namespace MoeOffload;

/// <summary>The character classes of placement patterns, as in C's own locale.</summary>
internal static class PatternClasses
{
    /// <summary>What may stand between <c>[:</c> and <c>:]</c>.</summary>
    public static readonly string[] Names =
    [
        "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit", "d", "s", "w",
    ];

    /// <summary>The class of <c>\d</c>, <c>\D</c> and their like, or <see langword="null"/>.</summary>
    public static ByteSet? OfEscape(char letter)
    {
        if (letter is not ('d' or 'D' or 's' or 'S' or 'w' or 'W'))
        {
            return null;
        }

        var set = OfName($"{letter}")!;
        if (char.IsAsciiLetterUpper(letter))
        {
            set.Invert();
        }

        return set;
    }

    /// <summary>The class of that name in any case, or <see langword="null"/>.</summary>
    public static ByteSet? OfName(string name)
    {
        Func<char, bool>? condition = name.ToLowerInvariant() switch
        {
            "alnum" => char.IsAsciiLetterOrDigit,
            "alpha" => char.IsAsciiLetter,
            "blank" => c => c is ' ' or '\t',
            "cntrl" => c => c is < ' ' or '\x7f',
            "d" or "digit" => char.IsAsciiDigit,
            "graph" => c => c is > ' ' and < '\x7f',
            "lower" => char.IsAsciiLetterLower,
            "print" => c => c is >= ' ' and < '\x7f',
            "punct" => c => c is > ' ' and < '\x7f' && !char.IsAsciiLetterOrDigit(c),
            "s" or "space" => c => c is ' ' or (>= '\t' and <= '\r'),
            "upper" => char.IsAsciiLetterUpper,
            "w" => c => char.IsAsciiLetterOrDigit(c) || c == '_',
            "xdigit" => char.IsAsciiHexDigit,
            _ => null,
        };
        if (condition is null)
        {
            return null;
        }

        var set = new ByteSet();
        set.AddWhere(value => condition((char)value));
        return set;
    }
}
