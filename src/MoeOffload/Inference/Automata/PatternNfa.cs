using System.Globalization;

namespace MoeOffload.Inference.Automata;

/// <summary>Represents a regular expression as a nondeterministic automaton. Its anchors are conditions of empty transitions.</summary>
internal sealed class PatternNfa
{
    private const int MaxStates = 20_000;

    private readonly List<State> _states = [];

    private readonly WorkBudget _work;

    private PatternNfa(WorkBudget work) => _work = work;

    /// <summary>Gets the first state.</summary>
    public int Start { get; private set; }

    /// <summary>Gets the state in which a text is accepted.</summary>
    public int End { get; private set; }

    /// <summary>Gets the sets of characters by which the states differ.</summary>
    public IEnumerable<CharSet> Sets => _states.Select(state => state.Set).OfType<CharSet>();

    /// <summary>Builds the automaton of an expression.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="isSearched">Whether the expression can match in the middle of a text.</param>
    /// <param name="work">The budget.</param>
    /// <exception cref="FormatException">The expression is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static PatternNfa Of(PatternNode pattern, bool isSearched, WorkBudget work)
    {
        var nfa = new PatternNfa(work);
        var any = new PatternNode.Repetition(new PatternNode.Characters(CharSet.All), 0, null);
        (nfa.Start, nfa.End) = nfa.Add(isSearched ? PatternNode.Join(any, pattern, any) : pattern);
        return nfa;
    }

    /// <summary>Gets the transition of a state that takes a character, or null.</summary>
    public (CharSet Set, int Target)? Step(int state) => _states[state].Set is { } set ? (set, _states[state].Target) : null;

    /// <summary>Adds the states that are reached without a character.</summary>
    /// <returns>The number of transitions that were followed.</returns>
    public int Close(HashSet<int> states, bool isAtStart, bool isAtEnd)
    {
        int steps = 0;
        var open = new Stack<int>(states);
        while (open.TryPop(out int state))
        {
            foreach ((int target, bool? isStart) in _states[state].Free)
            {
                steps++;
                if ((isStart is null || (isStart.Value ? isAtStart : isAtEnd)) && states.Add(target))
                {
                    open.Push(target);
                }
            }
        }

        return steps;
    }

    private int NewState()
    {
        if (_states.Count == MaxStates)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"its repetitions result in more than {MaxStates} states"));
        }

        _work.Spend(1);
        _states.Add(new State());
        return _states.Count - 1;
    }

    private (int Start, int End) Add(PatternNode node)
    {
        switch (node)
        {
            case PatternNode.Characters characters:
                (int from, int to) = (NewState(), NewState());
                _states[from].Set = characters.Set;
                _states[from].Target = to;
                return (from, to);
            case PatternNode.Anchor anchor:
                (int before, int after) = (NewState(), NewState());
                _states[before].Free.Add((after, anchor.IsStart));
                return (before, after);
            case PatternNode.Sequence sequence:
                (int Start, int End) whole = (NewState(), 0);
                whole.End = whole.Start;
                foreach (PatternNode part in sequence.Parts)
                {
                    (int start, int end) = Add(part);
                    Connect(whole.End, start);
                    whole.End = end;
                }

                return whole;
            case PatternNode.Choice choice:
                (int first, int last) = (NewState(), NewState());
                foreach (PatternNode alternative in choice.Alternatives)
                {
                    (int start, int end) = Add(alternative);
                    Connect(first, start);
                    Connect(end, last);
                }

                return (first, last);
            case PatternNode.Repetition repetition:
                return Repeat(repetition);
            default:
                throw new ArgumentOutOfRangeException(nameof(node), node, "The kind of expression is not known.");
        }
    }

    private (int Start, int End) Repeat(PatternNode.Repetition repetition)
    {
        int first = NewState();
        int last = first;
        for (int i = 0; i < repetition.Least; i++)
        {
            (int start, int end) = Add(repetition.Body);
            Connect(last, start);
            last = end;
        }

        int exit = NewState();
        Connect(last, exit);
        if (repetition.Most is null)
        {
            (int start, int end) = Add(repetition.Body);
            Connect(last, start);
            Connect(end, start);
            Connect(end, exit);
        }

        for (int i = repetition.Least; i < repetition.Most; i++)
        {
            (int start, int end) = Add(repetition.Body);
            Connect(last, start);
            Connect(end, exit);
            last = end;
        }

        return (first, exit);
    }

    private void Connect(int from, int to) => _states[from].Free.Add((to, null));

    private sealed class State
    {
        public CharSet? Set { get; set; }

        public int Target { get; set; }

        // The second value is null for a transition without a condition.
        public List<(int Target, bool? IsStart)> Free { get; } = [];
    }
}
