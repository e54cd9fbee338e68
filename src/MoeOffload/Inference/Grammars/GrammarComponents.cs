namespace MoeOffload.Inference.Grammars;

/// <summary>
/// Groups the rules of a grammar that begin with one another, by Tarjan's algorithm with an explicit stack
/// (https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm).
/// </summary>
internal sealed class GrammarComponents
{
    private readonly int[] _component;
    private readonly List<int[]> _inOrder = [];

    public GrammarComponents(GrammarRules grammar, bool[] empty)
    {
        var count = grammar.Rules.Length;
        _component = new int[count];
        Array.Fill(_component, -1);
        var order = new int[count];
        var lowest = new int[count];
        var open = new Stack<int>();
        var walk = new Stack<(int Rule, IEnumerator<(int Symbol, bool IsLast)> Beginnings)>();
        var next = 1;
        for (var start = 0; start < count; start++)
        {
            if (order[start] == 0)
            {
                Enter(start);
            }

            while (walk.TryPeek(out var at))
            {
                if (at.Beginnings.MoveNext())
                {
                    var symbol = at.Beginnings.Current.Symbol;
                    if (symbol >= 0 && order[symbol] == 0)
                    {
                        Enter(symbol);
                    }
                    else if (symbol >= 0 && _component[symbol] < 0)
                    {
                        lowest[at.Rule] = Math.Min(lowest[at.Rule], order[symbol]);
                    }

                    continue;
                }

                walk.Pop();
                if (walk.TryPeek(out var parent))
                {
                    lowest[parent.Rule] = Math.Min(lowest[parent.Rule], lowest[at.Rule]);
                }

                if (lowest[at.Rule] == order[at.Rule])
                {
                    Close(at.Rule);
                }
            }
        }

        void Enter(int rule)
        {
            order[rule] = lowest[rule] = next++;
            open.Push(rule);
            walk.Push((rule, Beginnings(grammar.Rules[rule], empty).GetEnumerator()));
        }

        void Close(int rule)
        {
            List<int> members = [];
            do
            {
                members.Add(open.Peek());
                _component[open.Peek()] = _inOrder.Count;
            }
            while (open.Pop() != rule);
            _inOrder.Add([.. members]);
        }
    }

    /// <summary>Gets the groups. Each one comes after those that its rules begin with.</summary>
    public IReadOnlyList<int[]> InOrder => _inOrder;

    /// <summary>Returns the number of a rule's group.</summary>
    public int Of(int rule) => _component[rule];

    /// <summary>Returns the symbols with which the alternatives of a rule can begin, and whether each is the last one of its alternative.</summary>
    public static IEnumerable<(int Symbol, bool IsLast)> Beginnings(int[][] alternatives, bool[] empty)
    {
        foreach (var symbols in alternatives)
        {
            for (var i = 0; i < symbols.Length; i++)
            {
                yield return (symbols[i], i == symbols.Length - 1);
                if (symbols[i] < 0 || !empty[symbols[i]])
                {
                    break;
                }
            }
        }
    }
}
