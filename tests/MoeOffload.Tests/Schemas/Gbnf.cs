using System.Globalization;
using System.Text;

namespace MoeOffload.Tests.Schemas;

/// <summary>Reads GBNF as llama.cpp does, to write random texts of a grammar, and to tell whether a text belongs to it.</summary>
internal sealed class Gbnf
{
    private readonly string _text;
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly List<Node[][]?> _rules = [];
    private readonly int[] _costs;
    private int _at;

    private Gbnf(string text)
    {
        _text = text;
        for (SkipSpace(true); _at < text.Length; SkipSpace(true))
        {
            int rule = IdOf(ReadName());
            SkipSpace(false);
            _at = text.AsSpan(_at, 3) is "::=" ? _at + 3 : throw new FormatException($"::= at {_at}");
            SkipSpace(true);
            _rules[rule] = ReadAlternatives(false);
        }

        _costs = FindCosts();
    }

    private abstract class Node;

    private sealed class Set(IReadOnlyList<(int From, int To)> ranges, bool isNegated) : Node
    {
        public IReadOnlyList<(int From, int To)> Ranges => ranges;

        public bool IsNegated => isNegated;
    }

    private sealed class Reference(int rule) : Node
    {
        public int Rule => rule;
    }

    public static Gbnf Read(string grammar) => new(grammar);

    /// <summary>Writes a random text.</summary>
    public string Sample(Random random, int budget = 150)
    {
        var result = new StringBuilder();
        var open = new Stack<Node>([new Reference(_names["root"])]);
        while (open.TryPop(out Node? node))
        {
            if (node is Set set)
            {
                result.Append(new Rune(Pick(set, random)).ToString());
                continue;
            }

            Node[][] alternatives = _rules[((Reference)node).Rule]!;
            Node[] chosen = budget-- > 0 ? alternatives[random.Next(alternatives.Length)] : alternatives.MinBy(CostOf)!;
            foreach (Node part in Enumerable.Reverse(chosen))
            {
                open.Push(part);
            }
        }

        return result.ToString();
    }

    /// <summary>Determines whether a text belongs to the grammar.</summary>
    public bool Matches(string text)
    {
        var known = new Dictionary<(Node, Place?), Place>();
        HashSet<Place?> states = [];
        Advance(new Place(new Reference(_names["root"]), null), states, known);
        foreach (Rune rune in text.EnumerateRunes())
        {
            HashSet<Place?> next = [];
            foreach (Place? state in states)
            {
                if (state is not null && Has((Set)state.Node, rune.Value))
                {
                    Advance(state.Next, next, known);
                }
            }

            states = next;
        }

        return states.Contains(null);
    }

    // What is still to be matched. There is one instance for each.
    private sealed class Place(Node node, Place? next)
    {
        public Node Node => node;

        public Place? Next => next;
    }

    private void Advance(Place? place, HashSet<Place?> states, Dictionary<(Node, Place?), Place> known)
    {
        HashSet<Place> seen = [];
        var open = new Stack<Place?>([place]);
        while (open.TryPop(out Place? it))
        {
            if (it?.Node is not Reference reference)
            {
                states.Add(it);
            }
            else if (seen.Add(it))
            {
                foreach (Node[] alternative in _rules[reference.Rule]!)
                {
                    open.Push(Enumerable.Reverse(alternative).Aggregate(it.Next, (rest, node) => known.TryGetValue((node, rest), out Place? same) ? same : known[(node, rest)] = new Place(node, rest)));
                }
            }
        }
    }

    private static bool Has(Set set, int value) => set.Ranges.Any(range => value >= range.From && value <= range.To) != set.IsNegated;

    private static int Pick(Set set, Random random)
    {
        if (set.IsNegated)
        {
            const string Usual = "aAzZ019 _-.~%/é€\U0001F600\"\\\u0001";
            int[] members = [.. Usual.EnumerateRunes().Select(rune => rune.Value).Where(value => Has(set, value))];
            return members[random.Next(members.Length)];
        }

        while (true)
        {
            (int from, int to) = set.Ranges[random.Next(set.Ranges.Count)];
            int value = from + (random.Next(3) == 0 ? random.Next(to - from + 1) : random.Next(Math.Min(to - from, 95) + 1));
            if (Rune.IsValid(value))
            {
                return value;
            }
        }
    }

    private int CostOf(Node[] alternative) => alternative.Sum(node => node is Reference reference ? Math.Min(_costs[reference.Rule], 1_000_000) : 1);

    private int[] FindCosts()
    {
        int[] costs = new int[_rules.Count];
        Array.Fill(costs, int.MaxValue);
        for (bool isChanged = true; isChanged;)
        {
            isChanged = false;
            for (int i = costs.Length - 1; i >= 0; i--)
            {
                int cost = _rules[i]!.Select(alternative => alternative.Aggregate(1L, (sum, node) => sum + (node is Reference reference ? costs[reference.Rule] : 1)))
                    .Select(sum => (int)Math.Min(sum, int.MaxValue)).Min();
                isChanged |= cost < costs[i];
                costs[i] = Math.Min(costs[i], cost);
            }
        }

        return costs;

    }

    private int IdOf(string name)
    {
        if (!_names.TryGetValue(name, out int id))
        {
            id = NewRule(null);
            _names.Add(name, id);
        }

        return id;
    }

    private int NewRule(Node[][]? alternatives)
    {
        _rules.Add(alternatives);
        return _rules.Count - 1;
    }

    private void SkipSpace(bool acrossLines)
    {
        while (_at < _text.Length && (_text[_at] is ' ' or '\t' || (acrossLines && _text[_at] is '\r' or '\n')))
        {
            _at++;
        }
    }

    private string ReadName()
    {
        int start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] == '-'))
        {
            _at++;
        }

        return _at > start ? _text[start.._at] : throw new FormatException($"a name is expected at {_at}: {_text.AsSpan(_at, Math.Min(40, _text.Length - _at))}");
    }

    private Node[][] ReadAlternatives(bool isNested)
    {
        List<Node[]> result = [ReadSequence(isNested)];
        while (_at < _text.Length && _text[_at] == '|')
        {
            _at++;
            SkipSpace(true);
            result.Add(ReadSequence(isNested));
        }

        return [.. result];
    }

    private Node[] ReadSequence(bool isNested)
    {
        List<Node> nodes = [];
        int last = 0;
        while (_at < _text.Length)
        {
            int before = nodes.Count;
            switch (_text[_at])
            {
                case '"':
                    _at++;
                    while (_text[_at] != '"')
                    {
                        int value = ReadCharacter();
                        nodes.Add(new Set([(value, value)], false));
                    }

                    _at++;
                    break;
                case '[':
                    nodes.Add(ReadSet());
                    break;
                case '(':
                    _at++;
                    SkipSpace(true);
                    Node[][] group = ReadAlternatives(true);
                    _at = _text[_at] == ')' ? _at + 1 : throw new FormatException($") at {_at}");
                    nodes.Add(new Reference(NewRule(group)));
                    break;
                case '*' or '+' or '?' or '{':
                    (int least, int? most) = ReadTimes();
                    Node[] repeated = [.. nodes.Skip(last)];
                    nodes.RemoveRange(last, nodes.Count - last);
                    nodes.AddRange(Enumerable.Repeat(repeated, least).SelectMany(it => it));
                    if (most is null)
                    {
                        int rule = NewRule(null);
                        _rules[rule] = [[.. repeated, new Reference(rule)], []];
                        nodes.Add(new Reference(rule));
                    }
                    else
                    {
                        Node? rest = null;
                        for (int i = least; i < most; i++)
                        {
                            rest = new Reference(NewRule([rest is null ? repeated : [.. repeated, rest], []]));
                        }

                        nodes.AddRange(rest is null ? [] : [rest]);
                    }

                    SkipSpace(isNested);
                    continue;
                case var other when char.IsAsciiLetterOrDigit(other):
                    nodes.Add(new Reference(IdOf(ReadName())));
                    break;
                default:
                    return [.. nodes];
            }

            last = before;
            SkipSpace(isNested);
        }

        return [.. nodes];
    }

    private (int Least, int? Most) ReadTimes()
    {
        char first = _text[_at++];
        if (first != '{')
        {
            return first switch { '*' => (0, null), '+' => (1, null), _ => (0, 1) };
        }

        int end = _text.IndexOf('}', _at);
        string[] numbers = _text[_at..end].Split(',');
        _at = end + 1;
        int least = int.Parse(numbers[0], CultureInfo.InvariantCulture);
        return (least, numbers.Length == 1 ? least : numbers[1].Length == 0 ? null : int.Parse(numbers[1], CultureInfo.InvariantCulture));
    }

    private Set ReadSet()
    {
        _at++;
        bool isNegated = _text[_at] == '^';
        _at += isNegated ? 1 : 0;
        List<(int, int)> ranges = [];
        while (_text[_at] != ']')
        {
            int from = ReadCharacter();
            int to = from;
            if (_text[_at] == '-' && _text[_at + 1] != ']')
            {
                _at++;
                to = ReadCharacter();
            }

            ranges.Add((from, to));
        }

        _at++;
        return new Set(ranges, isNegated);
    }

    private int ReadCharacter()
    {
        if (_text[_at] != '\\')
        {
            int value = char.ConvertToUtf32(_text, _at);
            _at += value > 0xFFFF ? 2 : 1;
            return value;
        }

        char escape = _text[_at + 1];
        _at += 2;
        int digits = escape switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits == 0)
        {
            return escape switch { 't' => '\t', 'n' => '\n', 'r' => '\r', _ => escape };
        }

        _at += digits;
        return int.Parse(_text.AsSpan(_at - digits, digits), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
