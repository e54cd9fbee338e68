namespace MoeOffload.Inference.Grammars;

/// <summary>A place in a grammar's text, and GBNF's smallest parts.</summary>
internal sealed class GrammarText(string text)
{
    /// <summary>The next character's index.</summary>
    public int At { get; private set; }

    /// <summary>Whether no character is left.</summary>
    public bool AtEnd => At == text.Length;

    /// <summary>Whether a line ends here.</summary>
    public bool AtLineEnd => !AtEnd && text[At] is '\r' or '\n';

    /// <summary>The next character.</summary>
    public char Peek => text[At];

    /// <summary>Whether a dash stands here that makes a range of the character before it.</summary>
    public bool StartsRange => !AtEnd && text[At] == '-' && (At + 1 == text.Length || text[At + 1] != ']');

    /// <summary>Takes what comes next if it is the expected text.</summary>
    public bool Take(string expected)
    {
        if (!text.AsSpan(At).StartsWith(expected, StringComparison.Ordinal))
        {
            return false;
        }

        At += expected.Length;
        return true;
    }

    /// <summary>Skips blanks and comments, and line ends where they mean nothing.</summary>
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

    /// <summary>Takes a rule's name; <see langword="null"/> if there is none.</summary>
    public string? ReadName()
    {
        var start = At;
        while (!AtEnd && (char.IsAsciiLetterOrDigit(text[At]) || text[At] == '-'))
        {
            At++;
        }

        return At == start ? null : text[start..At];
    }

    /// <summary>Takes a decimal number, <see cref="int.MaxValue"/> for one too large; <see langword="null"/> if there is none.</summary>
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

    /// <summary>Skips one character of a literal or class, escaped or not.</summary>
    /// <exception cref="FormatException">The text ends, or the escape is none.</exception>
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
            throw Error("this escape is none of \\t \\r \\n \\\\ \\\" \\[ \\] \\- \\x \\u \\U");
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

    /// <summary>Skips a token, <c>&lt;name&gt;</c>, <c>&lt;[id]&gt;</c>, or one of them after an exclamation mark.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
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
                throw Error("a token's id is expected, as in <[123]>");
            }

            return;
        }

        var end = text.IndexOf('>', At);
        At = end < 0 ? throw Error("this token is not closed by '>'", start) : end + 1;
    }

    /// <summary>An error that names the present place.</summary>
    public FormatException Error(string what) => Error(what, At);

    /// <summary>An error that names a place.</summary>
    public FormatException Error(string what, int at)
    {
        var before = text.AsSpan(0, at);
        var line = before.Count('\n') + 1;
        var column = at - before.LastIndexOf('\n');
        return new FormatException($"line {line}, column {column}: {what}");
    }
}
