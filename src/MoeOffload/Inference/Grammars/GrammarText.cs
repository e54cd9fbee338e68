namespace MoeOffload.Inference.Grammars;

/// <summary>Represents a position in the text of a grammar, and reads the basic elements of GBNF.</summary>
internal sealed class GrammarText(string text)
{
    /// <summary>Gets the index of the next character.</summary>
    public int At { get; private set; }

    /// <summary>Gets a value that indicates whether the end of the text is reached.</summary>
    public bool AtEnd => At == text.Length;

    /// <summary>Gets a value that indicates whether the end of a line is reached.</summary>
    public bool AtLineEnd => !AtEnd && text[At] is '\r' or '\n';

    /// <summary>Gets the next character.</summary>
    public char Peek => text[At];

    /// <summary>Gets a value that indicates whether the next character is a dash that forms a range with the previous one.</summary>
    public bool StartsRange => !AtEnd && text[At] == '-' && (At + 1 == text.Length || text[At + 1] != ']');

    /// <summary>Skips the expected text if it comes next.</summary>
    public bool Take(string expected)
    {
        if (!text.AsSpan(At).StartsWith(expected, StringComparison.Ordinal))
        {
            return false;
        }

        At += expected.Length;
        return true;
    }

    /// <summary>Skips white space and comments, and line ends if they are not significant.</summary>
    public void SkipSpace(bool acrossLines)
    {
        while (!AtEnd && (text[At] is ' ' or '\t' or '#' || (acrossLines && AtLineEnd)))
        {
            var isComment = text[At] == '#';
            At++;
            while (isComment && !AtEnd && !AtLineEnd)
            {
                At++;
            }
        }
    }

    /// <summary>Reads the name of a rule, or returns <see langword="null"/> if there is none.</summary>
    public string? ReadName()
    {
        var start = At;
        while (!AtEnd && (char.IsAsciiLetterOrDigit(text[At]) || text[At] == '-'))
        {
            At++;
        }

        return At == start ? null : text[start..At];
    }

    /// <summary>Reads a decimal number. Returns <see cref="int.MaxValue"/> if it is too large, or <see langword="null"/> if there is none.</summary>
    public int? ReadNumber()
    {
        var start = At;
        long value = 0;
        while (!AtEnd && char.IsAsciiDigit(text[At]))
        {
            value = Math.Min((value * 10) + text[At++] - '0', int.MaxValue);
        }

        return At == start ? null : (int)value;
    }

    /// <summary>Skips one character of a literal or class, which can be escaped.</summary>
    /// <exception cref="FormatException">The text ends, or the escape is not valid.</exception>
    public void SkipCharacter(int start)
    {
        if (AtEnd)
        {
            throw Error(text[start] == '[' ? "this character class is not closed" : "this literal is not closed", start);
        }

        if (text[At] != '\\')
        {
            At += char.IsSurrogatePair(text, At) ? 2 : 1;
            return;
        }

        var digits = At + 1 == text.Length ? -1 : text[At + 1] switch
        {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            't' or 'r' or 'n' or '\\' or '"' or '[' or ']' or '-' => 0,
            _ => -1,
        };
        if (digits < 0)
        {
            throw Error("this is not a valid escape; the escapes are \\t \\r \\n \\\\ \\\" \\[ \\] \\- \\x \\u \\U");
        }

        var hexadecimal = text.AsSpan(At + 2, Math.Min(digits, text.Length - At - 2));
        if (hexadecimal.Length < digits || !All(hexadecimal))
        {
            throw Error($"this escape needs {digits} hexadecimal digits");
        }

        At += 2 + digits;

        static bool All(ReadOnlySpan<char> span)
        {
            foreach (var c in span)
            {
                if (!char.IsAsciiHexDigit(c))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Skips a token: <c>&lt;name&gt;</c>, <c>&lt;[id]&gt;</c>, or one of them after an exclamation mark.</summary>
    /// <exception cref="FormatException">The token is not valid.</exception>
    public void SkipToken()
    {
        var start = At;
        Take("!");
        if (!Take("<"))
        {
            throw Error("'<' is expected after '!'");
        }

        if (Take("["))
        {
            if (ReadNumber() is null || !Take("]>"))
            {
                throw Error("a token id is expected, as in <[123]>");
            }

            return;
        }

        var end = text.IndexOf('>', At);
        At = end < 0 ? throw Error("this token is not closed by '>'", start) : end + 1;
    }

    /// <summary>Creates an exception that names the current location.</summary>
    public FormatException Error(string what) => Error(what, At);

    /// <summary>Creates an exception that names a location.</summary>
    public FormatException Error(string what, int at)
    {
        var before = text.AsSpan(0, at);
        var line = before.Count('\n') + 1;
        var column = at - before.LastIndexOf('\n');
        return new FormatException($"line {line}, column {column}: {what}");
    }
}
