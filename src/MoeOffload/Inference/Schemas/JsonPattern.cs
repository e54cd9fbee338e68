using System.Globalization;
using System.Text;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Translates the regular expression of a schema for llama.cpp's converter, which applies the pattern to the JSON text instead of the
/// string: it would allow quotes and control characters in strings, requires anchors at both ends, and does not support classes such as
/// <c>\d</c>. The result matches a subset of what the pattern matches: quotes, backslashes and control characters that the pattern names
/// individually are written as JSON escapes, and are left out of character classes.
/// </summary>
internal sealed class JsonPattern
{
    private const int MaxNesting = 64;
    private const string NotPlain = "\"\\\\\\x00-\\x1F\\x7F";
    private const string Any = $"[^{NotPlain}]";

    private readonly Rune[] _text;
    private int _at;
    private int _nesting;

    private JsonPattern(string pattern) => _text = [.. pattern.EnumerateRunes()];

    /// <summary>Translates a pattern.</summary>
    /// <exception cref="FormatException">The pattern is not valid, or the converter cannot express it. The message names the reason.</exception>
    public static string Translate(string pattern)
    {
        var reader = new JsonPattern(pattern);
        List<string> alternatives = [];
        do
        {
            bool isStart = reader.Take('^');
            string body = reader.ReadSequence();
            bool isEnd = reader.Take('$');
            alternatives.Add($"{(isStart ? string.Empty : $"{Any}*")}{body}{(isEnd ? string.Empty : $"{Any}*")}");
        }
        while (reader.Take('|'));

        if (!reader.AtEnd)
        {
            throw reader.Peek == ')' ? new FormatException("a closing parenthesis has no opening one") : Misplaced();
        }

        string all = string.Join('|', alternatives);
        return alternatives.Count == 1 ? $"^{all}$" : $"^({all})$";
    }

    private bool AtEnd => _at == _text.Length;

    private char Peek => AtEnd || !_text[_at].IsBmp ? '\0' : (char)_text[_at].Value;

    private bool Take(char expected)
    {
        bool isThere = !AtEnd && _text[_at].Value == expected;
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private Rune Next() => AtEnd ? throw new FormatException("the pattern ends unexpectedly") : _text[_at++];

    private string ReadSequence()
    {
        var result = new StringBuilder();
        while (!AtEnd && Peek is not ('|' or ')' or '$'))
        {
            string item = ReadItem();
            string times = ReadTimes();
            result.Append(times.Length > 0 && !IsUnit(item) ? $"({item})" : item).Append(times);
        }

        return result.ToString();
    }

    // Returns true if the converter would repeat the item as a whole.
    private static bool IsUnit(string item) => item.Length == 1 ? char.IsAscii(item[0]) : item[0] is '(' or '[' || (item.Length == 2 && item[0] == '\\' && item[1] != '\\');

    private string ReadItem()
    {
        Rune next = Next();
        return next.Value switch
        {
            '.' => Any,
            '(' => ReadGroup(),
            '[' => ReadClass(),
            '\\' => ReadEscape(),
            '^' => throw Misplaced(),
            '*' or '+' or '?' => throw new FormatException("there is nothing to repeat"),
            '{' or '}' or ']' => throw new FormatException($"{next} must be written as \\{next}"),
            _ => Literal(next),
        };
    }

    private static FormatException Misplaced() => new("an anchor is allowed only at the ends of the pattern");

    private string ReadGroup()
    {
        if (Take('?') && !Take(':'))
        {
            SkipName();
        }

        if (++_nesting > MaxNesting)
        {
            throw new FormatException($"more than {MaxNesting} groups are nested");
        }

        List<string> alternatives = [];
        do
        {
            alternatives.Add(ReadSequence());
        }
        while (Take('|'));

        if (!Take(')'))
        {
            throw AtEnd ? new FormatException("a parenthesis is not closed") : Misplaced();
        }

        _nesting--;
        return $"({string.Join('|', alternatives)})";
    }

    private void SkipName()
    {
        if (!Take('<') || Peek is '=' or '!')
        {
            throw new FormatException("look-around groups cannot be expressed in a grammar");
        }

        while (!Take('>'))
        {
            Next();
        }
    }

    private string ReadTimes()
    {
        string times = Peek switch
        {
            '*' or '+' or '?' => Next().ToString(),
            '{' => ReadCounts(),
            _ => string.Empty,
        };
        if (times.Length > 0)
        {
            Take('?'); // A lazy repetition matches the same set of texts as a greedy one.
            if (Peek is '*' or '+' or '{' or '?')
            {
                throw new FormatException("a repetition is repeated");
            }
        }

        return times;
    }

    private string ReadCounts()
    {
        int start = _at;
        while (!Take('}'))
        {
            if (Peek is not ((>= '0' and <= '9') or ',' or '{') || (Peek == '{' && _at > start))
            {
                throw new FormatException("braces must contain one or two numbers");
            }

            Next();
        }

        string counts = string.Concat(_text[start.._at]);
        string[] numbers = counts[1..^1].Split(',');
        bool isValid = numbers.Length <= 2
            && int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out int least)
            && (numbers.Length == 1 || numbers[1].Length == 0
                || (int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out int most) && most >= least));
        return isValid ? counts : throw new FormatException("braces must contain one or two numbers, the smaller one first");
    }

    private string ReadEscape()
    {
        Rune name = Next();
        return name.Value switch
        {
            'd' or 'w' or 's' => $"[{Members(name.Value)}]",
            'D' => $"[^0-9{NotPlain}]",
            'W' => $"[^A-Za-z0-9_{NotPlain}]",
            'S' => $"[^ \\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF{NotPlain}]",
            _ => Literal(ReadCharacter(name)),
        };
    }

    private static string Members(int name) => name switch
    {
        'd' => "0-9",
        'w' => "A-Za-z0-9_",
        _ => " ",
    };

    private Rune ReadCharacter(Rune name)
    {
        switch (name.Value)
        {
            case 't': return new Rune('\t');
            case 'n': return new Rune('\n');
            case 'r': return new Rune('\r');
            case 'f': return new Rune('\f');
            case 'v': return new Rune('\v');
            case 'x': return ReadCode(2);
            case 'u': return Take('{') ? ReadBracedCode() : ReadCode(4);
            case < 0x80 when Rune.IsLetterOrDigit(name):
                throw new FormatException($"\\{name} cannot be expressed in a grammar");
            default: return name;
        }
    }

    private Rune ReadCode(int digits)
    {
        int value = 0;
        for (int i = 0; i < digits; i++)
        {
            Rune digit = Next();
            value = digit.IsAscii && char.IsAsciiHexDigit((char)digit.Value)
                ? (value * 16) + Convert.ToInt32(digit.ToString(), 16)
                : throw new FormatException("an escape has too few digits");
        }

        return Rune.TryCreate(value, out Rune rune) ? rune : throw new FormatException("an escape is an unpaired surrogate");
    }

    private Rune ReadBracedCode()
    {
        int digits = 0;
        while (_at + digits < _text.Length && _text[_at + digits].Value != '}' && digits < 7)
        {
            digits++;
        }

        Rune rune = digits is > 0 and < 7 ? ReadCode(digits) : throw new FormatException("an escape has too few digits");
        return Take('}') ? rune : throw new FormatException("an escape has no closing brace");
    }

    private string ReadClass()
    {
        bool isNegated = Take('^');
        var members = new StringBuilder();
        while (!Take(']'))
        {
            Rune first = Next();
            if (first.Value == '\\' && Peek is 'd' or 'w' or 's')
            {
                int name = Next().Value;
                members.Append(name == 's' && isNegated ? " \\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF" : Members(name));
                continue;
            }

            Rune from = ClassCharacter(first);
            Rune to = from;
            if (Peek == '-' && _at + 1 < _text.Length && _text[_at + 1].Value != ']')
            {
                Next();
                to = ClassCharacter(Next());
            }

            AppendRange(members, from.Value, to.Value, isNegated);
        }

        return isNegated ? $"[^{members}{NotPlain}]"
            : members.Length > 0 ? $"[{members}]"
            : throw new FormatException("a class contains only characters that are escaped in JSON strings");
    }

    private Rune ClassCharacter(Rune first) =>
        first.Value != '\\' ? first
        : Take('b') ? new Rune('\b')
        : ReadCharacter(Next());

    // If the class is not negated, leaves out the characters that JSON escapes.
    private static void AppendRange(StringBuilder members, int from, int to, bool isNegated)
    {
        if (from > to)
        {
            throw new FormatException("a character range is in reverse order");
        }

        if (isNegated)
        {
            Append(from, to);
            return;
        }

        int start = Math.Max(from, 0x20);
        foreach (int excluded in (ReadOnlySpan<int>)['"', '\\', 0x7F])
        {
            if (excluded >= start && excluded <= to)
            {
                Append(start, excluded - 1);
                start = excluded + 1;
            }
        }

        Append(start, to);

        void Append(int first, int last)
        {
            if (first <= last)
            {
                members.Append(Code(first));
                _ = first < last ? members.Append('-').Append(Code(last)) : members;
            }
        }
    }

    private static string Code(int value) =>
        value < 0x80 && char.IsAsciiLetterOrDigit((char)value) ? ((char)value).ToString()
        : value <= 0xFF ? string.Create(CultureInfo.InvariantCulture, $"\\x{value:X2}")
        : value <= 0xFFFF ? string.Create(CultureInfo.InvariantCulture, $"\\u{value:X4}")
        : string.Create(CultureInfo.InvariantCulture, $"\\U{value:X8}");

    // Returns a character as it appears in JSON, escaped for the converter.
    private static string Literal(Rune character) => character.Value switch
    {
        '"' => "\\\\\"",
        '\\' => "\\\\\\\\",
        '\n' => "\\\\n",
        '\r' => "\\\\r",
        '\t' => "\\\\t",
        < 0x20 or 0x7F => string.Create(CultureInfo.InvariantCulture, $"\\\\u{character.Value:x4}"),
        '^' or '$' or '.' or '[' or ']' or '(' or ')' or '|' or '{' or '}' or '*' or '+' or '?' => $"\\{character}",
        _ => character.ToString(),
    };
}
