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

    private readonly PatternCursor _cursor;
    private readonly List<int> _openGroups = [0];
    private int _groupCount = 1;
    private int _nesting;

    private PatternParser(byte[] pattern) => _cursor = new PatternCursor(pattern);

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
        if (!parser._cursor.AtEnd)
        {
            throw parser._cursor.Error(parser._cursor.At, parser._cursor.Bytes[parser._cursor.At] == (byte)')'
                ? "closes no parenthesis; write \\) for a literal one"
                : "has nothing before it to repeat; write it with a backslash for a literal one");
        }

        return PatternCompiler.Compile(node, parser._groupCount);
    }

    private PatternNode ParseEither()
    {
        PatternNode left = ParseSequence();
        while (_cursor.Take('|'))
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
        if (_cursor.AtEnd)
        {
            return null;
        }

        var start = _cursor.At;
        switch ((char)_cursor.Peek)
        {
            case '|' or ')' or '*' or '+' or '?' or '{':
                return null;
            case '^':
                _cursor.At++;
                return Single(PatternOperation.Start);
            case '$':
                _cursor.At++;
                return Single(PatternOperation.End);
            case '(':
                var group = ParseGroup(start);
                return group is PatternNode.Lookahead ? group : ParseRepeats(group);
            case '[':
                _cursor.At++;
                return ParseRepeats(Bytes(new PatternSetReader(_cursor).Read(start)));
            case '.':
                _cursor.At++;
                var any = new ByteSet();
                any.AddWhere(value => value is not ((byte)'\n' or (byte)'\r'));
                return ParseRepeats(Bytes(any));
            case '\\':
                return ParseEscape();
            default:
                return ParseRepeats(Literal(_cursor.Read()));
        }
    }

    private PatternNode ParseGroup(int start)
    {
        _cursor.At++;
        if (++_nesting > MaxNesting)
        {
            throw _cursor.Error(start, $"opens parenthesis {_nesting} inside one another; {MaxNesting} are allowed");
        }

        PatternNode node;
        if (_cursor.Take('?'))
        {
            var kind = _cursor.AtEnd ? '\0' : (char)_cursor.Read();
            if (kind is not (':' or '=' or '!'))
            {
                throw _cursor.Error(start, "opens a special group that C++ lacks; there are (?:…), (?=…) and (?!…)");
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

        if (_cursor.AtEnd)
        {
            throw _cursor.Error(start, "opens a parenthesis that is not closed; close it, or write \\( for a literal one");
        }

        if (!_cursor.Take(')'))
        {
            throw _cursor.Error(_cursor.At, "has nothing before it to repeat; write it with a backslash for a literal one");
        }

        _nesting--;
        return node;
    }

    private PatternNode ParseRepeats(PatternNode node)
    {
        while (!_cursor.AtEnd)
        {
            var start = _cursor.At;
            var (least, most) = (0, (int?)null);
            switch ((char)_cursor.Read())
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
                    _cursor.At = start;
                    return node;
            }

            var lazy = _cursor.Take('?');
            var copies = Math.Max(least + (most is null ? 1L : most.Value - least), 1);
            var size = Limit((node.Size + 1L) * copies);
            node = new PatternNode.Repeat(node, least, most, lazy, size);
        }

        return node;
    }

    private (int Least, int? Most) ParseBounds(int start)
    {
        var least = _cursor.ReadNumber() ?? throw _cursor.Error(start, "needs a number after it, as in {2}, {2,} or {2,5}; write \\{ for a literal one");
        int? most = least;
        if (_cursor.Take(','))
        {
            most = _cursor.ReadNumber();
        }

        if (!_cursor.Take('}'))
        {
            throw _cursor.Error(start, "opens a repetition that is not closed; write {2}, {2,} or {2,5}, or \\{ for a literal one");
        }

        if (most < least)
        {
            throw _cursor.Error(start, $"repeats at least {least} times and at most {most}; turn the numbers around");
        }

        return (least, most);
    }

    private PatternNode ParseEscape()
    {
        var start = _cursor.At++;
        if (_cursor.AtEnd)
        {
            throw _cursor.Error(start, "is a backslash with nothing after it; write \\\\ for a literal one");
        }

        var escaped = (char)_cursor.Peek;
        if (escaped is 'b' or 'B')
        {
            _cursor.At++;
            return Single(PatternOperation.WordBoundary, inverted: escaped == 'B');
        }

        if (PatternClasses.OfEscape(escaped) is { } set)
        {
            _cursor.At++;
            return ParseRepeats(Bytes(set));
        }

        if (escaped is >= '1' and <= '9')
        {
            var group = _cursor.ReadNumber()!.Value;
            if (group >= _groupCount || _openGroups.Contains(group))
            {
                throw _cursor.Error(start, $"refers to group {group}, which is not closed before it");
            }

            return ParseRepeats(new PatternNode.Single(new PatternState(PatternOperation.BackReference, -1, Group: group)));
        }

        return ParseRepeats(Literal(_cursor.ReadEscapedByte(start)));
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
        : throw _cursor.Error(_cursor.At - 1, $"ends a repetition that multiplies the pattern to more than {MaxStates} steps; count lower");
}
