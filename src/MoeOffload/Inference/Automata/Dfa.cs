using System.Globalization;

namespace MoeOffload.Inference.Automata;

/// <summary>
/// Represents a set of texts as a deterministic automaton. State 0 is the first one; every state leads to an accepted text. Instances are
/// immutable.
/// </summary>
internal sealed class Dfa
{
    /// <summary>The maximum number of states.</summary>
    public const int MaxStates = 4_000;

    // Each takes a few bytes while an automaton is built.
    private const int MaxTransitions = 4_000_000;
    private const int MaxSteps = 4_000_000;

    private readonly Alphabet _alphabet;
    private readonly int[][] _next;
    private readonly bool[] _accepts;

    private Dfa(Alphabet alphabet, int[][] next, bool[] accepts)
    {
        _alphabet = alphabet;
        _next = next;
        _accepts = accepts;
    }

    /// <summary>Gets the number of states. It is 0 if no text is accepted.</summary>
    public int Count => _next.Length;

    /// <summary>Compiles a regular expression.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="work">The budget.</param>
    /// <param name="isSearched">Whether the expression can match in the middle of a text, instead of the whole text.</param>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Dfa Of(PatternNode pattern, WorkBudget work, bool isSearched = false)
    {
        PatternNfa nfa = PatternNfa.Of(pattern, isSearched, work);
        Alphabet alphabet = Alphabet.Of(nfa.Sets, work);
        int[] representatives = [.. alphabet.Sets.Select(set => set.Ranges[0].From)];
        long steps = 0;
        return Explore(alphabet, work, Closed([nfa.Start], isAtStart: true), SetComparer.Instance, (states, kind) =>
        {
            HashSet<int> targets = [];
            foreach (int state in states)
            {
                if (nfa.Step(state) is { } step && step.Set.Contains(representatives[kind]))
                {
                    targets.Add(step.Target);
                }
            }

            Charge(states.Length);
            return targets.Count == 0 ? null : Closed(targets, isAtStart: false);
        }, (states, isFirst) =>
        {
            HashSet<int> atEnd = [.. states];
            nfa.Close(atEnd, isFirst, isAtEnd: true);
            return atEnd.Contains(nfa.End);
        });

        int[] Closed(HashSet<int> states, bool isAtStart)
        {
            Charge(nfa.Close(states, isAtStart, isAtEnd: false));
            int[] sorted = [.. states];
            Array.Sort(sorted);
            return sorted;
        }

        void Charge(int count)
        {
            steps += count;
            work.Spend(count);
            if (steps > MaxSteps)
            {
                throw TooLarge();
            }
        }
    }

    /// <summary>Creates the automaton of the specified texts.</summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Dfa OfTexts(IEnumerable<string> texts, WorkBudget work)
    {
        List<Dictionary<int, int>> children = [[]];
        HashSet<int> ends = [];
        foreach (string text in texts)
        {
            int at = 0;
            foreach (System.Text.Rune rune in text.EnumerateRunes())
            {
                if (!children[at].TryGetValue(rune.Value, out int next))
                {
                    next = children.Count < 10 * MaxStates ? children.Count : throw TooLarge();
                    children[at].Add(rune.Value, next);
                    children.Add([]);
                }

                at = next;
            }

            ends.Add(at);
        }

        Alphabet alphabet = Alphabet.Of(children.SelectMany(node => node.Keys).Distinct().Select(value => CharSet.Of((value, value))), work);
        CheckSize(children.Count, alphabet, work);
        var rows = new int[children.Count][];
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = new int[alphabet.Count];
            Array.Fill(rows[i], -1);
            foreach ((int value, int target) in children[i])
            {
                rows[i][alphabet.ClassOf(value)] = target;
            }
        }

        return Reduce(alphabet, rows, [.. Enumerable.Range(0, rows.Length).Select(ends.Contains)], work: null);
    }

    /// <summary>Creates the automaton of all texts of a length, in code points.</summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Dfa OfLength(int least, int? most, WorkBudget work)
    {
        int count = (most ?? least) < MaxStates ? (most ?? least) + 1 : throw TooLarge();

        int[][] next = [.. Enumerable.Range(0, count).Select(i => new[] { i + 1 < count ? i + 1 : most is null ? i : -1 })];
        return new Dfa(Alphabet.Of([], work), next, [.. Enumerable.Range(0, count).Select(i => i >= least)]);
    }

    /// <summary>Creates the automaton of what a function does with one character after another.</summary>
    /// <param name="sets">The sets of characters that the function tells apart.</param>
    /// <param name="start">The first state.</param>
    /// <param name="follow">Returns the state after a character, or null if no text is accepted from there.</param>
    /// <param name="accepts">Determines whether a text can end in a state.</param>
    /// <param name="work">The budget.</param>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Dfa Walk<T>(IEnumerable<CharSet> sets, T start, Func<T, int, T?> follow, Func<T, bool> accepts, WorkBudget work)
        where T : class
    {
        Alphabet alphabet = Alphabet.Of(sets, work);
        int[] representatives = [.. alphabet.Sets.Select(set => set.Ranges[0].From)];
        return Explore(alphabet, work, start, EqualityComparer<T>.Default, (state, kind) => follow(state, representatives[kind]), (state, _) => accepts(state));
    }

    /// <summary>Determines whether a text is accepted.</summary>
    public bool Matches(string text)
    {
        int state = Count > 0 ? 0 : -1;
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            state = state < 0 ? state : _next[state][_alphabet.ClassOf(rune.Value)];
        }

        return state >= 0 && _accepts[state];
    }

    /// <summary>Determines whether a text can end in a state.</summary>
    public bool Accepts(int state) => _accepts[state];

    /// <summary>Returns the transitions of a state: for each target, the characters that lead to it.</summary>
    public IEnumerable<(CharSet Set, int Target)> Transitions(int state) =>
        from kind in Enumerable.Range(0, _alphabet.Count)
        where _next[state][kind] >= 0
        group kind by _next[state][kind] into kinds
        select (CharSet.Of(kinds.SelectMany(kind => _alphabet.Sets[kind].Ranges)), kinds.Key);

    /// <summary>Returns the automaton of the texts that both accept.</summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public Dfa Intersect(Dfa other, WorkBudget work)
    {
        if (Count == 0 || other.Count == 0)
        {
            return Count == 0 ? this : other;
        }

        Alphabet alphabet = Alphabet.Cross(_alphabet, other._alphabet, out (int One, int Other)[] pairs);
        return Explore(
            alphabet,
            work,
            Tuple.Create(0, 0),
            EqualityComparer<Tuple<int, int>>.Default,
            (state, kind) => _next[state.Item1][pairs[kind].One] is var one and >= 0 && other._next[state.Item2][pairs[kind].Other] is var two and >= 0
                ? Tuple.Create(one, two) : null,
            (state, _) => _accepts[state.Item1] && other._accepts[state.Item2]);
    }

    /// <summary>Returns the automaton of the texts that this one does not accept.</summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public Dfa Complement(WorkBudget work)
    {
        CheckSize(Count, _alphabet, work);
        int sink = Count;
        int[][] next = [.. _next.Select(row => Array.ConvertAll(row, target => target < 0 ? sink : target)), [.. Enumerable.Repeat(sink, _alphabet.Count)]];
        return Reduce(_alphabet, next, [.. _accepts.Select(accepts => !accepts), true], work);
    }

    private static void CheckSize(int states, Alphabet alphabet, WorkBudget work)
    {
        long transitions = (long)states * alphabet.Count;
        work.Spend(transitions);
        if (transitions > MaxTransitions)
        {
            throw TooLarge();
        }
    }

    private static Dfa Explore<T>(Alphabet alphabet, WorkBudget work, T start, IEqualityComparer<T> comparer, Func<T, int, T?> follow, Func<T, bool, bool> accepts)
        where T : class
    {
        var ids = new Dictionary<T, int>(comparer) { [start] = 0 };
        List<T> states = [start];
        List<int[]> next = [];
        for (int i = 0; i < states.Count; i++)
        {
            work.Spend(alphabet.Count);
            int[] row = (long)i * alphabet.Count < MaxTransitions ? new int[alphabet.Count] : throw TooLarge();
            for (int kind = 0; kind < row.Length; kind++)
            {
                if (follow(states[i], kind) is not { } target)
                {
                    row[kind] = -1;
                    continue;
                }

                if (!ids.TryGetValue(target, out row[kind]))
                {
                    row[kind] = states.Count < 4 * MaxStates ? states.Count : throw TooLarge();
                    ids.Add(target, row[kind]);
                    states.Add(target);
                }
            }

            next.Add(row);
        }

        Dfa result = Reduce(alphabet, [.. next], [.. states.Select((state, index) => accepts(state, index == 0))], work);
        return result.Count <= MaxStates ? result : throw TooLarge();
    }

    // Removes the states that lead nowhere, and with a budget, merges those that cannot be told apart.
    private static Dfa Reduce(Alphabet alphabet, int[][] next, bool[] accepts, WorkBudget? work)
    {
        bool[] lives = Living(next, accepts);
        int[] groups = work is null ? [.. lives.Select((isLiving, state) => isLiving ? state : -1)] : StatePartition.Divide(next, accepts, lives, alphabet.Count, work);
        if (!lives[0])
        {
            return new Dfa(alphabet, [], []);
        }

        // The groups are numbered in the order in which they are reached from the first one.
        var order = new Dictionary<int, int>();
        List<int> representatives = [];
        Visit(0);
        for (int i = 0; i < representatives.Count; i++)
        {
            foreach (int target in next[representatives[i]])
            {
                Visit(target);
            }
        }

        return new Dfa(
            alphabet,
            [.. representatives.Select(state => Array.ConvertAll(next[state], target => target < 0 || groups[target] < 0 ? -1 : order[groups[target]]))],
            [.. representatives.Select(state => accepts[state])]);

        void Visit(int state)
        {
            if (state >= 0 && groups[state] >= 0 && order.TryAdd(groups[state], representatives.Count))
            {
                representatives.Add(state);
            }
        }
    }

    private static bool[] Living(int[][] next, bool[] accepts)
    {
        var before = new List<int>?[next.Length];
        for (int i = 0; i < next.Length; i++)
        {
            foreach (int target in next[i].Where(target => target >= 0).Distinct())
            {
                (before[target] ??= []).Add(i);
            }
        }

        bool[] lives = [.. accepts];
        var open = new Stack<int>(Enumerable.Range(0, lives.Length).Where(state => lives[state]));
        while (open.TryPop(out int state))
        {
            foreach (int previous in before[state] ?? [])
            {
                if (!lives[previous])
                {
                    lives[previous] = true;
                    open.Push(previous);
                }
            }
        }

        return lives;
    }

    private static FormatException TooLarge() =>
        new(string.Create(CultureInfo.InvariantCulture, $"it needs more than {MaxStates} states as an automaton; use shorter repetitions"));

    private sealed class SetComparer : IEqualityComparer<int[]>
    {
        public static SetComparer Instance { get; } = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] obj)
        {
            var hash = default(HashCode);
            foreach (int value in obj)
            {
                hash.Add(value);
            }

            return hash.ToHashCode();
        }
    }
}
