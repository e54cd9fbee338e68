namespace MoeOffload.Inference.Automata;

/// <summary>
/// Divides the states of a deterministic automaton into groups that cannot be told apart, by Hopcroft's algorithm
/// (https://en.wikipedia.org/wiki/DFA_minimization#Hopcroft's_algorithm), whose time is that of sorting the transitions.
/// </summary>
internal sealed class StatePartition
{
    private readonly int[] _offsets;
    private readonly int[] _sources;
    private readonly int _letters;
    private readonly int[] _states;
    private readonly int[] _places;
    private readonly int[] _groups;
    private readonly List<(int Start, int End)> _bounds = [];
    private readonly List<int> _marked = [];
    private readonly Stack<int> _open = new();

    private StatePartition(int[][] next, bool[] accepts, bool[] lives, int letters)
    {
        _letters = letters;
        _groups = new int[next.Length];
        _places = new int[next.Length];
        _states = [.. Enumerable.Range(0, next.Length).Where(state => lives[state]).OrderBy(state => accepts[state])];
        Array.Fill(_groups, -1);
        int accepting = Array.FindIndex(_states, state => accepts[state]);
        accepting = accepting < 0 ? _states.Length : accepting;
        AddGroup(0, accepting);
        AddGroup(accepting, _states.Length);
        for (int i = 0; i < _states.Length; i++)
        {
            _places[_states[i]] = i;
        }

        // The states that lead to a state by a letter are in one place.
        _offsets = new int[(next.Length * letters) + 1];
        foreach ((int slot, _) in Transitions(next, lives))
        {
            _offsets[slot + 1]++;
        }

        for (int i = 1; i < _offsets.Length; i++)
        {
            _offsets[i] += _offsets[i - 1];
        }

        _sources = new int[_offsets[^1]];
        int[] ends = [.. _offsets];
        foreach ((int slot, int source) in Transitions(next, lives))
        {
            _sources[ends[slot]++] = source;
        }
    }

    /// <summary>Returns the number of the group of each state, or -1 for states from which no text is accepted.</summary>
    /// <param name="next">The targets of each state, by letter; negative if there is none.</param>
    /// <param name="accepts">Whether a text can end in each state.</param>
    /// <param name="lives">Whether a text is accepted from each state.</param>
    /// <param name="letters">The number of letters.</param>
    /// <param name="work">The budget.</param>
    public static int[] Divide(int[][] next, bool[] accepts, bool[] lives, int letters, WorkBudget work)
    {
        var partition = new StatePartition(next, accepts, lives, letters);
        while (partition._open.TryPop(out int group))
        {
            (int start, int end) = partition._bounds[group];
            work.Spend((long)(end - start) * letters);
            int[] members = partition._states[start..end];
            for (int letter = 0; letter < letters; letter++)
            {
                partition.Split(members, letter);
            }
        }

        return partition._groups;
    }

    private IEnumerable<(int Slot, int Source)> Transitions(int[][] next, bool[] lives)
    {
        foreach (int source in _states)
        {
            for (int letter = 0; letter < _letters; letter++)
            {
                if (next[source][letter] is >= 0 and var target && lives[target])
                {
                    yield return ((target * _letters) + letter, source);
                }
            }
        }
    }

    // Separates the states that lead to a group from the others of their groups.
    private void Split(int[] members, int letter)
    {
        List<int> touched = [];
        foreach (int member in members)
        {
            int slot = (member * _letters) + letter;
            for (int i = _offsets[slot]; i < _offsets[slot + 1]; i++)
            {
                Mark(_sources[i], touched);
            }
        }

        foreach (int group in touched)
        {
            (int start, int end) = _bounds[group];
            int middle = start + _marked[group];
            _marked[group] = 0;
            if (middle == end)
            {
                continue;
            }

            // The smaller part is enough if the whole group has been used.
            bool isFirstSmaller = middle - start <= end - middle;
            _bounds[group] = isFirstSmaller ? (middle, end) : (start, middle);
            AddGroup(isFirstSmaller ? start : middle, isFirstSmaller ? middle : end);
        }
    }

    private void Mark(int state, List<int> touched)
    {
        int group = _groups[state];
        if (_marked[group] == 0)
        {
            touched.Add(group);
        }

        int to = _bounds[group].Start + _marked[group]++;
        int from = _places[state];
        (_states[from], _states[to]) = (_states[to], _states[from]);
        _places[_states[from]] = from;
        _places[_states[to]] = to;
    }

    private void AddGroup(int start, int end)
    {
        if (start == end)
        {
            return;
        }

        int group = _bounds.Count;
        _bounds.Add((start, end));
        _marked.Add(0);
        _open.Push(group);
        for (int i = start; i < end; i++)
        {
            _groups[_states[i]] = group;
        }
    }
}
