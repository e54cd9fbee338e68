using System.Globalization;

namespace MoeOffload.Inference.Grammars;

/// <summary>
/// Parses GBNF as llama.cpp does, which only prints syntax errors to the console. Reports errors with line and column, and rejects grammars
/// that would allocate without limit.
/// </summary>
internal sealed class GrammarReader
{
    /// <summary>The maximum length of a grammar, in characters.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>The maximum nesting depth of parentheses. llama.cpp recurses for each one.</summary>
    public const int MaxNesting = 256;

    /// <summary>The maximum number of symbols after repetitions are expanded.</summary>
    public const int MaxSymbols = 500_000;

    // This is llama.cpp's own limit.
    private const int MaxRepetitions = 2_000;

    private readonly GrammarText _text;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];
    private readonly List<int> _firstUses = [];
    private readonly List<int[][]?> _rules = [];
    private int _symbolCount;
    private int _nesting;

    private GrammarReader(string text) => _text = new GrammarText(text);

    /// <summary>Parses a grammar.</summary>
    /// <exception cref="FormatException">The grammar is not valid or exceeds the limits. The message names the location and the reason.</exception>
    public static GrammarRules Read(string text, string root)
    {
        if (text.Length > MaxLength)
        {
            throw new FormatException($"it has {text.Length} characters; at most {MaxLength} are allowed");
        }

        var reader = new GrammarReader(text);
        reader.ReadRules();
        var rules = reader.Defined();
        if (!reader._ids.TryGetValue(root, out var id) || id >= rules.Length)
        {
            throw new FormatException($"it has no rule '{root}' to start from; define it, or specify another rule in GrammarRoot");
        }

        return new GrammarRules(rules, reader._names, id, reader._symbolCount);
    }

    private void ReadRules()
    {
        for (_text.SkipSpace(acrossLines: true); !_text.AtEnd; _text.SkipSpace(acrossLines: true))
        {
            var start = _text.At;
            var name = _text.ReadName() ?? throw _text.Error("a rule's name is expected");
            var id = IdOf(name, start);
            _text.SkipSpace(acrossLines: false);
            if (!_text.Take("::="))
            {
                throw _text.Error($"::= is expected after the rule name '{name}'");
            }

            _text.SkipSpace(acrossLines: true);
            ReadAlternatives(id, name, nested: false);
            if (!_text.AtEnd && !_text.AtLineEnd)
            {
                throw _text.Error("a new line or the end is expected after the rule");
            }
        }
    }

    // llama.cpp numbers names in the order in which they occur, and ignores names after the last rule.
    private int[][][] Defined()
    {
        var count = _rules.FindLastIndex(rule => rule is not null) + 1;
        var rules = new int[count][][];
        for (var id = 0; id < count; id++)
        {
            rules[id] = _rules[id] ?? throw Undefined(id);
        }

        foreach (var symbol in rules.SelectMany(rule => rule).SelectMany(alternative => alternative))
        {
            if (symbol >= count)
            {
                throw Undefined(symbol);
            }
        }

        return rules;

        FormatException Undefined(int id) => _text.Error($"the rule '{_names[id]}' is not defined", _firstUses[id]);
    }

    private int IdOf(string name, int at)
    {
        if (!_ids.TryGetValue(name, out var id))
        {
            id = NewId(name, at);
            _ids.Add(name, id);
        }

        return id;
    }

    private int NewId(string name, int at)
    {
        _names.Add(name);
        _firstUses.Add(at);
        _rules.Add(null);
        return _rules.Count - 1;
    }

    private void ReadAlternatives(int id, string name, bool nested)
    {
        List<int[]> alternatives = [ReadSequence(name, nested)];
        while (_text.Take("|"))
        {
            _text.SkipSpace(acrossLines: true);
            alternatives.Add(ReadSequence(name, nested));
        }

        _rules[id] = [.. alternatives];
    }

    private int[] ReadSequence(string name, bool nested)
    {
        List<int> symbols = [];
        var last = 0;
        long lastRules = 1;
        while (!_text.AtEnd)
        {
            var start = _text.At;
            var before = symbols.Count;
            switch (_text.Peek)
            {
                case '"':
                    ReadLiteral(symbols);
                    break;
                case '[':
                    ReadClass(symbols);
                    break;
                case '.':
                    _text.Take(".");
                    symbols.Add(-1);
                    break;
                case '<' or '!':
                    _text.SkipToken();
                    symbols.Add(-1);
                    break;
                case '(':
                    var known = _rules.Count;
                    symbols.Add(ReadGroup(name));
                    _text.SkipSpace(nested);
                    (last, lastRules) = (before, _rules.Count - known);
                    continue;
                case '*' or '+' or '?' or '{':
                    var (least, most) = ReadTimes(nested);
                    Repeat(symbols, last, ref lastRules, least, most, name, start);
                    continue;
                default:
                    if (_text.ReadName() is not { } reference)
                    {
                        return [.. symbols];
                    }

                    symbols.Add(IdOf(reference, start));
                    break;
            }

            Count(-symbols.Skip(before).Sum(symbol => Math.Min(symbol, -1)), start);
            _text.SkipSpace(nested);
            (last, lastRules) = (before, 1);
        }

        return [.. symbols];
    }

    private int ReadGroup(string name)
    {
        var start = _text.At;
        _text.Take("(");
        if (++_nesting > MaxNesting)
        {
            throw _text.Error($"the parentheses are nested {_nesting} deep; at most {MaxNesting} levels are allowed", start);
        }

        _text.SkipSpace(acrossLines: true);
        var id = NewId(name, start);
        ReadAlternatives(id, name, nested: true);
        if (!_text.Take(")"))
        {
            throw _text.AtEnd
                ? _text.Error("this parenthesis is not closed", start)
                : _text.Error("')' or another part of the group is expected");
        }

        _nesting--;
        return id;
    }

    private void ReadLiteral(List<int> symbols)
    {
        var start = _text.At;
        _text.Take("\"");
        while (!_text.Take("\""))
        {
            _text.SkipCharacter(start);
            symbols.Add(-1);
        }
    }

    private void ReadClass(List<int> symbols)
    {
        var start = _text.At;
        _text.Take("[");
        _text.Take("^");
        var elements = 0;
        while (!_text.Take("]"))
        {
            _text.SkipCharacter(start);
            elements++;
            if (_text.StartsRange)
            {
                _text.Take("-");
                _text.SkipCharacter(start);
                elements++;
            }
        }

        // An empty class is ignored, as in llama.cpp, although it cannot match anything.
        if (elements > 0)
        {
            symbols.Add(-elements);
        }
    }

    private (int Least, int? Most) ReadTimes(bool nested)
    {
        var start = _text.At;
        if (_text.Take("*"))
        {
            _text.SkipSpace(nested);
            return (0, null);
        }

        if (_text.Take("+"))
        {
            _text.SkipSpace(nested);
            return (1, null);
        }

        if (_text.Take("?"))
        {
            _text.SkipSpace(nested);
            return (0, 1);
        }

        _text.Take("{");
        _text.SkipSpace(nested);
        var least = _text.ReadNumber() ?? throw _text.Error("a number is expected after {");
        _text.SkipSpace(nested);
        int? most = least;
        if (_text.Take(","))
        {
            _text.SkipSpace(nested);
            most = _text.ReadNumber();
            _text.SkipSpace(nested);
        }

        if (!_text.Take("}"))
        {
            throw _text.Error("'}' is expected after the numbers of a repetition");
        }

        _text.SkipSpace(nested);
        if (least > MaxRepetitions)
        {
            throw _text.Error($"the number of repetitions exceeds {MaxRepetitions}, which is llama.cpp's limit", start);
        }

        if (most < least)
        {
            throw _text.Error($"the minimum number of repetitions, {least}, is greater than the maximum, {most}; swap the numbers", start);
        }

        return (least, most > MaxRepetitions ? null : most);
    }

    // S{m,n} becomes m times S and then nested optional rules for up to n - m more. Without n, one optional rule refers to itself.
    private void Repeat(List<int> symbols, int last, ref long lastRules, int least, int? most, string name, int start)
    {
        if (last == symbols.Count)
        {
            throw _text.Error("there is nothing to repeat before this", start);
        }

        lastRules *= most is > 0 ? most.Value : Math.Max(least, 1);
        if (lastRules > MaxRepetitions)
        {
            throw _text.Error($"nested repetitions result in more than {MaxRepetitions} repetitions, which is llama.cpp's limit", start);
        }

        int[] repeated = [.. symbols.Skip(last)];
        var optional = most is null ? 1 : most.Value - least;
        Count(repeated.Sum(symbol => Math.Max(-(long)symbol, 1)) * (least + optional), start);
        if (least == 0)
        {
            symbols.RemoveRange(last, symbols.Count - last);
        }

        for (var i = 1; i < least; i++)
        {
            symbols.AddRange(repeated);
        }

        int? previous = null;
        for (var i = 0; i < optional; i++)
        {
            var id = NewId(name, start);
            int? next = most is null ? id : previous;
            _rules[id] = [next is null ? repeated : [.. repeated, next.Value], []];
            previous = id;
        }

        if (previous is not null)
        {
            symbols.Add(previous.Value);
        }
    }

    private void Count(long symbols, int at)
    {
        _symbolCount = (int)Math.Min(_symbolCount + symbols, int.MaxValue);
        if (_symbolCount > MaxSymbols)
        {
            throw _text.Error(
                string.Create(CultureInfo.InvariantCulture, $"up to here, the repetitions expand the grammar to more than {MaxSymbols} symbols; use fewer repetitions"), at);
        }
    }
}
