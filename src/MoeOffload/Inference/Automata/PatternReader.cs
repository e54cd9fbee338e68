using System.Globalization;
using System.Text;

namespace MoeOffload.Inference.Automata;

/// <summary>
/// Parses the regular expressions of schemas, which are those of ECMA-262 with the flag u. Back-references, word boundaries and look-around
/// groups have no automaton, except for look-ahead groups at the beginning of the expression.
/// </summary>
internal sealed class PatternReader
{
    private const int MaxNesting = 64;
    private const int MaxRepetitions = 4_000;

    private readonly Rune[] _text;
    private readonly List<(PatternNode Body, bool IsNegative)> _conditions = [];
    private int _at;
    private int _nesting;

    private PatternReader(string pattern) => _text = [.. pattern.EnumerateRunes()];

    /// <summary>Compiles a pattern to the automaton of the texts in which it has a match.</summary>
    /// <exception cref="FormatException">The pattern is not valid, or has no automaton. The message names the reason.</exception>
    public static Dfa Compile(string pattern) => Compile(pattern, new WorkBudget(long.MaxValue));

    /// <summary>Compiles a pattern to the automaton of the texts in which it has a match.</summary>
    /// <exception cref="FormatException">The pattern is not valid, or has no automaton. The message names the reason.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Dfa Compile(string pattern, WorkBudget work)
    {
        work.Spend(pattern.Length);
        var reader = new PatternReader(pattern);
        PatternNode all = reader.ReadChoice();
        if (!reader.AtEnd)
        {
            throw new FormatException("a closing parenthesis has no opening one");
        }

        Dfa result = Dfa.Of(all, work, isSearched: true);
        foreach ((PatternNode body, bool isNegative) in reader._conditions)
        {
            Dfa condition = Dfa.Of(PatternNode.Join(new PatternNode.Anchor(IsStart: true), body), work, isSearched: true);
            result = result.Intersect(isNegative ? condition.Complement(work) : condition, work);
        }

        return result;
    }

    private bool AtEnd => _at == _text.Length;

    private char Peek => AtEnd || !_text[_at].IsBmp ? '\0' : (char)_text[_at].Value;

    private bool Take(char expected)
    {
        bool isThere = !AtEnd && _text[_at].Value == expected;
        _at += isThere ? 1 : 0;
        return isThere;
    }

    private bool IsNext(string text) =>
        _at + text.Length <= _text.Length && text.Select((character, index) => _text[_at + index].Value == character).All(isEqual => isEqual);

    private Rune Next() => AtEnd ? throw new FormatException("the pattern ends unexpectedly") : _text[_at++];

    private PatternNode ReadChoice()
    {
        List<PatternNode> alternatives = [];
        do
        {
            alternatives.Add(ReadSequence());
        }
        while (Take('|'));

        return alternatives is [var only] ? only
            : _conditions.Count > 0 && _nesting == 0 ? throw Look("next to alternatives")
            : new PatternNode.Choice(alternatives);
    }

    private PatternNode.Sequence ReadSequence()
    {
        List<PatternNode> parts = [];
        while (!AtEnd && Peek is not ('|' or ')'))
        {
            if (IsNext("(?=") || IsNext("(?!"))
            {
                ReadCondition(parts);
                continue;
            }

            PatternNode item = ReadItem();
            (int Least, int? Most)? times = ReadTimes();
            parts.Add(times is { } it ? new PatternNode.Repetition(item, it.Least, it.Most) : item);
        }

        return new PatternNode.Sequence(parts);
    }

    // A condition at the beginning of the text applies to the whole text.
    private void ReadCondition(List<PatternNode> parts)
    {
        if (_nesting > 0 || parts is not [PatternNode.Anchor { IsStart: true }])
        {
            throw Look("elsewhere than after the ^ at the beginning");
        }

        _at += 2;
        bool isNegative = Next().Value == '!';
        _nesting++;
        PatternNode body = ReadChoice();
        _nesting--;
        _conditions.Add(Take(')') ? (body, isNegative) : throw new FormatException("a parenthesis is not closed"));
        if (ReadTimes() is not null)
        {
            throw Look("with a repetition");
        }
    }

    private static FormatException Look(string where) => new($"look-around groups {where} cannot be expressed in a grammar");

    private PatternNode ReadItem()
    {
        Rune next = Next();
        return next.Value switch
        {
            '.' => new PatternNode.Characters(CharSet.Of("\n\r\u2028\u2029").Complement()),
            '(' => ReadGroup(),
            '[' => ReadClass(),
            '\\' => Peek is 'd' or 'w' or 's' or 'D' or 'W' or 'S' or 'p' or 'P' ? new PatternNode.Characters(ReadNamedClass()) : One(ReadCharacter(Next())),
            '^' or '$' => new PatternNode.Anchor(next.Value == '^'),
            '*' or '+' or '?' => throw new FormatException("there is nothing to repeat"),
            '{' or '}' or ']' => throw new FormatException($"{next} must be written as \\{next}"),
            _ => One(next),
        };
    }

    private static PatternNode.Characters One(Rune rune) => new(CharSet.Of((rune.Value, rune.Value)));

    private PatternNode ReadGroup()
    {
        if (Take('?') && !Take(':'))
        {
            SkipName();
        }

        if (++_nesting > MaxNesting)
        {
            throw new FormatException($"more than {MaxNesting} groups are nested");
        }

        PatternNode body = ReadChoice();
        _nesting--;
        return Take(')') ? body : throw new FormatException("a parenthesis is not closed");
    }

    private void SkipName()
    {
        if (!Take('<') || Peek is '=' or '!')
        {
            throw Look("inside the expression");
        }

        while (!Take('>'))
        {
            Next();
        }
    }

    private (int Least, int? Most)? ReadTimes()
    {
        (int Least, int? Most)? times = Peek switch
        {
            '*' => (0, null),
            '+' => (1, null),
            '?' => (0, 1),
            '{' => ReadCounts(),
            _ => null,
        };
        if (times is null)
        {
            return null;
        }

        Next();
        Take('?'); // A lazy repetition matches the same set of texts as a greedy one.
        return Peek is '*' or '+' or '{' or '?' ? throw new FormatException("a repetition is repeated") : times;
    }

    // Stops before the closing brace.
    private (int Least, int? Most) ReadCounts()
    {
        int start = ++_at;
        while (Peek is (>= '0' and <= '9') or ',')
        {
            _at++;
        }

        string[] numbers = string.Concat(_text[start.._at]).Split(',');
        int most = 0;
        bool isValid = Peek == '}' && numbers.Length <= 2
            && int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && (numbers.Length == 1 || numbers[1].Length == 0 || int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out most));
        int least = isValid ? int.Parse(numbers[0], CultureInfo.InvariantCulture) : throw Counts();
        int? end = numbers.Length == 1 ? least : numbers[1].Length == 0 ? null : most;
        return end < least ? throw Counts()
            : Math.Max(least, end ?? 0) > MaxRepetitions ? throw new FormatException($"it repeats a part more than {MaxRepetitions} times")
            : (least, end);

        static FormatException Counts() => new("braces must contain one or two numbers, the smaller one first");
    }

    private CharSet ReadNamedClass()
    {
        int name = Next().Value;
        CharSet set = char.ToLowerInvariant((char)name) switch
        {
            'd' => CharSet.Of(('0', '9')),
            'w' => CharSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')),
            's' => CharSet.Of("\t\n\v\f\r \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF"),
            _ => ReadProperty(),
        };
        return char.IsUpper((char)name) ? set.Complement() : set;
    }

    private CharSet ReadProperty()
    {
        if (!Take('{'))
        {
            throw new FormatException("\\p must be followed by a property in braces");
        }

        int start = _at;
        while (!Take('}'))
        {
            Next();
        }

        string name = string.Concat(_text[start..(_at - 1)]);
        return UnicodeCategories.Find(name) ?? throw new FormatException($"\\p{{{name}}} is not a general category, and cannot be expressed in a grammar");
    }

    private Rune ReadCharacter(Rune name)
    {
        switch (name.Value)
        {
            case 't': return new Rune('\t');
            case 'n': return new Rune('\n');
            case 'r': return new Rune('\r');
            case 'f': return new Rune('\f');
            case 'v': return new Rune('\v');
            case '0' when !char.IsAsciiDigit(Peek): return new Rune('\0');
            case 'c' when char.IsAsciiLetter(Peek): return new Rune((char)(Next().Value % 32));
            case 'x': return ReadCode(2);
            case 'u': return Take('{') ? ReadBracedCode() : ReadUnit();
            case < 0x80 when Rune.IsLetterOrDigit(name):
                throw new FormatException($"\\{name} cannot be expressed in a grammar");
            default: return name;
        }
    }

    private int ReadHex(int digits)
    {
        int value = 0;
        for (int i = 0; i < digits; i++)
        {
            Rune digit = Next();
            value = digit.IsAscii && char.IsAsciiHexDigit((char)digit.Value)
                ? (value * 16) + Convert.ToInt32(digit.ToString(), 16)
                : throw new FormatException("an escape has too few digits");
        }

        return value;
    }

    private Rune ReadCode(int digits) =>
        Rune.TryCreate(ReadHex(digits), out Rune rune) ? rune : throw new FormatException("an escape is an unpaired surrogate");

    // Two escapes of surrogates are one character.
    private Rune ReadUnit()
    {
        int unit = ReadHex(4);
        if (!char.IsHighSurrogate((char)unit) || !IsNext("\\u"))
        {
            return Rune.TryCreate(unit, out Rune rune) ? rune : throw new FormatException("an escape is an unpaired surrogate");
        }

        _at += 2;
        return Rune.TryCreate((char)unit, (char)ReadHex(4), out Rune pair) ? pair : throw new FormatException("an escape is an unpaired surrogate");
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

    private PatternNode.Characters ReadClass()
    {
        bool isNegated = Take('^');
        CharSet members = CharSet.Of();
        List<(int From, int To)> added = [];
        while (!Take(']'))
        {
            Rune first = Next();
            if (first.Value == '\\' && Peek is 'd' or 'w' or 's' or 'D' or 'W' or 'S' or 'p' or 'P')
            {
                Add(ReadNamedClass().Ranges);
                continue;
            }

            Rune from = ReadMember(first);
            Rune to = from;
            if (Peek == '-' && _at + 1 < _text.Length && _text[_at + 1].Value != ']')
            {
                Next();
                to = ReadMember(Next());
            }

            Add(from <= to ? [(from.Value, to.Value)] : throw new FormatException("a character range is in reverse order"));
        }

        members = CharSet.Of(members.Ranges.Concat(added));
        return new PatternNode.Characters(isNegated ? members.Complement() : members);

        // Ranges that overlap are merged before they take much memory.
        void Add(IEnumerable<(int From, int To)> ranges)
        {
            added.AddRange(ranges);
            if (added.Count > members.Ranges.Count + 1_000)
            {
                members = CharSet.Of(members.Ranges.Concat(added));
                added.Clear();
            }
        }
    }

    private Rune ReadMember(Rune first) => first.Value != '\\' ? first : Take('b') ? new Rune('\b') : ReadCharacter(Next());
}
