using System.Text;

namespace MoeOffload;

/// <summary>
/// Reads a placement pattern as C++'s <c>std::regex</c> reads ECMAScript, and refuses with a reason and a place what that refuses
/// (https://eel.is/c++draft/re.grammar), so that nothing malformed reaches llama.cpp, where it ends the process.
/// </summary>
/// <remarks>
/// Of what one C++ library takes and another does not, everything is taken here; the native check has the last word.
/// </remarks>
internal sealed class PatternParser
{
    /// <summary>The longest pattern, in bytes of UTF-8: the C++ library recurses once per character.</summary>
    public const int MaxLength = 1024;

    /// <summary>How deep parentheses may nest.</summary>
    public const int MaxNesting = 64;

    /// <summary>How many states counted repetitions may multiply a pattern to.</summary>
    public const int MaxStates = 2_000;

    private const string Special = "^$\\.*+?()[]{}|";

    private readonly byte[] _pattern;
    private readonly List<int> _openGroups = [0];
    private int _at;
    private int _groupCount = 1;
    private int _nesting;

    private PatternParser(byte[] pattern) => _pattern = pattern;

    private bool AtEnd => _at == _pattern.Length;

    /// <summary>Parses a pattern.</summary>
    /// <exception cref="FormatException">The pattern is malformed, or beyond the limits; the message says where and why.</exception>
    public static PatternProgram Parse(string pattern)
    {
        var bytes = Encoding.UTF8.GetBytes(pattern);
        if (bytes.Length > MaxLength)
        {
            throw new FormatException($"it is {bytes.Length} bytes long; {MaxLength} are allowed, so split it into several rules");
        }

        var zero = bytes.AsSpan().IndexOf((byte)0);
        if (zero >= 0)
        {
            throw new FormatException($"character {zero + 1} is NUL, where llama.cpp would end the pattern; leave it out");
        }

        var parser = new PatternParser(bytes);
        var node = parser.ParseEither();
        if (!parser.AtEnd)
        {
            throw parser.Error(parser._at, parser._pattern[parser._at] == (byte)')'
                ? "closes no parenthesis; write \\) for a literal one"
                : "has nothing before it to repeat; write it with a backslash for a literal one");
        }

        return PatternCompiler.Compile(node, parser._groupCount);
    }

    private PatternNode ParseEither()
    {
        PatternNode left = ParseSequence();
        while (Take('|'))
        {
            var right = ParseSequence();
            left = new PatternNode.Either(left, right, Sum(left.Size, right.Size, 1));
        }

        return left;
    }

    private PatternNode.Sequence ParseSequence()
    {
        List<PatternNode> items = [];
        var size = 0;
        while (ParseTerm() is { } item)
        {
            items.Add(item);
            size = Sum(size, item.Size);
        }

        return new PatternNode.Sequence(items, size);
    }

    private PatternNode? ParseTerm()
    {
        if (AtEnd)
        {
            return null;
        }

        var start = _at;
        switch ((char)_pattern[_at])
        {
            case '|' or ')' or '*' or '+' or '?' or '{':
                return null;
            case '^':
                _at++;
                return Single(PatternOperation.Start);
            case '$':
                _at++;
                return Single(PatternOperation.End);
            case '(':
                var group = ParseGroup(start);
                return group is PatternNode.Lookahead ? group : ParseRepeats(group);
            case '[':
                _at++;
                return ParseRepeats(Bytes(ParseSet(start)));
            case '.':
                _at++;
                var any = new ByteSet();
                any.AddWhere(value => value is not ((byte)'\n' or (byte)'\r'));
                return ParseRepeats(Bytes(any));
            case '\\':
                return ParseEscape();
            default:
                return ParseRepeats(Literal(_pattern[_at++]));
        }
    }

    private PatternNode ParseGroup(int start)
    {
        _at++;
        if (++_nesting > MaxNesting)
        {
            throw Error(start, $"opens parenthesis {_nesting} inside one another; {MaxNesting} are allowed");
        }

        PatternNode node;
        if (Take('?'))
        {
            var kind = AtEnd ? '\0' : (char)_pattern[_at++];
            if (kind is not (':' or '=' or '!'))
            {
                throw Error(start, "opens a special group that C++ lacks; there are (?:…), (?=…) and (?!…)");
            }

            node = ParseEither();
            if (kind != ':')
            {
                node = new PatternNode.Lookahead(node, kind == '!', Sum(node.Size, 2));
            }
        }
        else
        {
            var number = _groupCount++;
            _openGroups.Add(number);
            var body = ParseEither();
            _openGroups.Remove(number);
            node = new PatternNode.Group(number, body, Sum(body.Size, 2));
        }

        if (AtEnd)
        {
            throw Error(start, "opens a parenthesis that is not closed; close it, or write \\( for a literal one");
        }

        if (!Take(')'))
        {
            throw Error(_at, "has nothing before it to repeat; write it with a backslash for a literal one");
        }

        _nesting--;
        return node;
    }

    private PatternNode ParseRepeats(PatternNode node)
    {
        while (!AtEnd)
        {
            var start = _at;
            var (least, most) = (0, (int?)null);
            switch ((char)_pattern[_at++])
            {
                case '*':
                    break;
                case '+':
                    least = 1;
                    break;
                case '?':
                    most = 1;
                    break;
                case '{':
                    (least, most) = ParseBounds(start);
                    break;
                default:
                    _at = start;
                    return node;
            }

            var lazy = Take('?');
            var copies = Math.Max(least + (most is null ? 1L : most.Value - least), 1);
            var size = Limit((node.Size + 1L) * copies);
            node = new PatternNode.Repeat(node, least, most, lazy, size);
        }

        return node;
    }

    private (int Least, int? Most) ParseBounds(int start)
    {
        var least = ParseNumber() ?? throw Error(start, "needs a number after it, as in {2}, {2,} or {2,5}; write \\{ for a literal one");
        int? most = least;
        if (Take(','))
        {
            most = ParseNumber();
        }

        if (!Take('}'))
        {
            throw Error(start, "opens a repetition that is not closed; write {2}, {2,} or {2,5}, or \\{ for a literal one");
        }

        if (most < least)
        {
            throw Error(start, $"repeats at least {least} times and at most {most}; turn the numbers around");
        }

        return (least, most);
    }

    private int? ParseNumber()
    {
        var start = _at;
        long value = 0;
        while (!AtEnd && char.IsAsciiDigit((char)_pattern[_at]))
        {
            value = Math.Min((value * 10) + _pattern[_at++] - '0', int.MaxValue);
        }

        return _at == start ? null : (int)value;
    }

    private PatternNode ParseEscape()
    {
        var start = _at++;
        if (AtEnd)
        {
            throw Error(start, "is a backslash with nothing after it; write \\\\ for a literal one");
        }

        var escaped = (char)_pattern[_at];
        if (escaped is 'b' or 'B')
        {
            _at++;
            return Single(PatternOperation.WordBoundary, inverted: escaped == 'B');
        }

        if (PatternClasses.OfEscape(escaped) is { } set)
        {
            _at++;
            return ParseRepeats(Bytes(set));
        }

        if (escaped is >= '1' and <= '9')
        {
            var group = ParseNumber()!.Value;
            if (group >= _groupCount || _openGroups.Contains(group))
            {
                throw Error(start, $"refers to group {group}, which is not closed before it");
            }

            return ParseRepeats(new PatternNode.Single(new PatternState(PatternOperation.BackReference, -1, Group: group)));
        }

        return ParseRepeats(Literal(ParseEscapedByte(start)));
    }

    /// <summary>Reads an escape that stands for one byte, the backslash being read.</summary>
    private byte ParseEscapedByte(int start)
    {
        var escaped = (char)_pattern[_at++];
        switch (escaped)
        {
            case '0':
                return 0;
            case 'b':
                return (byte)'\b';
            case 'f':
                return (byte)'\f';
            case 'n':
                return (byte)'\n';
            case 'r':
                return (byte)'\r';
            case 't':
                return (byte)'\t';
            case 'v':
                return (byte)'\v';
            case 'c':
                return AtEnd ? throw Error(start, "names a control character without its letter") : _pattern[_at++];
            case 'x' or 'u':
                var digits = escaped == 'x' ? 2 : 4;
                var text = Encoding.Latin1.GetString(_pattern.AsSpan(_at, Math.Min(digits, _pattern.Length - _at)));
                if (text.Length < digits || !text.All(char.IsAsciiHexDigit))
                {
                    throw Error(start, $"needs {digits} hexadecimal digits after \\{escaped}");
                }

                _at += digits;
                return (byte)Convert.ToInt32(text, 16);
            default:
                return (byte)escaped;
        }
    }

    private ByteSet ParseSet(int start)
    {
        var set = new ByteSet();
        var negative = Take('^');
        while (!Take(']'))
        {
            var itemStart = _at;
            var low = ParseSetItem(start, set);
            if (low is null || AtEnd || _pattern[_at] != (byte)'-' || _at + 1 == _pattern.Length || _pattern[_at + 1] == (byte)']')
            {
                if (low is { } single)
                {
                    set.Add(single);
                }

                continue;
            }

            _at++;
            if (ParseSetItem(start, set) is not { } high)
            {
                set.Add(low.Value);
                set.Add((byte)'-');
            }
            else if (low > high && high < 128)
            {
                throw Error(itemStart, "begins a range whose end comes before its start; turn it around");
            }
            else if (low <= high)
            {
                set.AddRange(low.Value, high);
            }
        }

        if (negative)
        {
            set.Invert();
        }

        return set;
    }

    // One byte, or null for a class, which is in the set then.
    private byte? ParseSetItem(int start, ByteSet set)
    {
        if (AtEnd)
        {
            throw Error(start, "opens a bracket that is not closed; close it, or write \\[ for a literal one");
        }

        var at = _at++;
        switch ((char)_pattern[at])
        {
            case '[' when !AtEnd && (char)_pattern[_at] is ':' or '.' or '=':
                return ParseNamed(at, set);
            case '\\' when AtEnd:
                throw Error(start, "opens a bracket that is not closed; close it, or write \\[ for a literal one");
            case '\\' when PatternClasses.OfEscape((char)_pattern[_at]) is { } escaped:
                _at++;
                set.AddWhere(escaped.Contains);
                return null;
            case '\\' when (char)_pattern[_at] is 'B' or (>= '1' and <= '9'):
                throw Error(at, "is an escape that means nothing inside brackets");
            case '\\':
                return ParseEscapedByte(at);
            default:
                return _pattern[at];
        }
    }

    private byte? ParseNamed(int at, ByteSet set)
    {
        var kind = _pattern[_at++];
        var length = _pattern.AsSpan(_at).IndexOf(kind);
        if (length < 0 || _at + length + 1 >= _pattern.Length || _pattern[_at + length + 1] != (byte)']')
        {
            throw Error(at, $"opens a class that is not closed; write [{(char)kind}…{(char)kind}]");
        }

        var name = Encoding.UTF8.GetString(_pattern, _at, length);
        _at += length + 2;
        if (kind == (byte)':')
        {
            var named = PatternClasses.OfName(name)
                ?? throw Error(at, $"names the class '{name}', which is none of {string.Join(", ", PatternClasses.Names)}");
            set.AddWhere(named.Contains);
            return null;
        }

        if (length != 1)
        {
            throw Error(at, $"names the character '{name}'; write the character itself");
        }

        return (byte)name[0];
    }

    private bool Take(char expected)
    {
        if (AtEnd || _pattern[_at] != (byte)expected)
        {
            return false;
        }

        _at++;
        return true;
    }

    private static PatternNode.Single Single(PatternOperation operation, bool inverted = false) =>
        new(new PatternState(operation, -1, Inverted: inverted));

    private static PatternNode.Single Bytes(ByteSet set) => new(new PatternState(PatternOperation.Take, -1, Set: set));

    private static PatternNode.Single Literal(byte value)
    {
        var set = new ByteSet();
        set.Add(value);
        return Bytes(set);
    }

    private int Sum(params ReadOnlySpan<int> sizes)
    {
        var sum = 0L;
        foreach (var size in sizes)
        {
            sum += size;
        }

        return Limit(sum);
    }

    private int Limit(long size) => size <= MaxStates
        ? (int)size
        : throw Error(_at - 1, $"ends a repetition that multiplies the pattern to more than {MaxStates} steps; count lower");

    private FormatException Error(int at, string what)
    {
        var position = Encoding.UTF8.GetCharCount(_pattern, 0, at);
        var shown = Special.Contains((char)_pattern[at], StringComparison.Ordinal) ? $" ({(char)_pattern[at]})" : "";
        return new FormatException($"character {position + 1}{shown} {what}");
    }
}
