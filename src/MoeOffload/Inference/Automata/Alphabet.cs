namespace MoeOffload.Inference.Automata;

/// <summary>Divides the code points into classes whose members an automaton does not distinguish.</summary>
internal sealed class Alphabet
{
    // The ranges of the sets, and the texts that identify classes, take memory.
    private const int MaxRanges = 500_000;
    private const int MaxMemberships = 2_000_000;

    private readonly int[] _starts;
    private readonly int[] _classes;
    private readonly Lazy<CharSet[]> _sets;

    private Alphabet(int[] starts, int[] classes, int count)
    {
        _starts = starts;
        _classes = classes;
        Count = count;
        _sets = new Lazy<CharSet[]>(MakeSets);
    }

    /// <summary>Gets the number of classes.</summary>
    public int Count { get; }

    /// <summary>Gets the members of each class.</summary>
    public IReadOnlyList<CharSet> Sets => _sets.Value;

    /// <summary>Creates the alphabet that distinguishes the members of each set from all others.</summary>
    /// <exception cref="FormatException">The sets have too many ranges.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public static Alphabet Of(IEnumerable<CharSet> sets, WorkBudget work)
    {
        long memberships = 0;
        CharSet[] distinct = [.. Limited(sets, work).DistinctBy(set => set.ToString(), StringComparer.Ordinal)];
        if (distinct.Sum(set => (long)set.Ranges.Count) > MaxRanges)
        {
            throw TooLarge();
        }

        var edges = new SortedDictionary<int, List<int>> { [0] = [] };
        for (int i = 0; i < distinct.Length; i++)
        {
            foreach ((int from, int to) in distinct[i].Ranges)
            {
                Edge(from).Add(i);
                if (to < CharSet.Last)
                {
                    Edge(to + 1).Add(i);
                }
            }
        }

        var inside = new SortedSet<int>();
        return Make(edges.Keys, start =>
        {
            inside.SymmetricExceptWith(edges[start].GroupBy(set => set).Where(group => group.Count() % 2 == 1).Select(group => group.Key));
            memberships += inside.Count;
            work.Spend(inside.Count);
            return memberships > MaxMemberships ? throw TooLarge() : string.Join(',', inside);
        });

        List<int> Edge(int at) => edges.TryGetValue(at, out List<int>? list) ? list : edges[at] = [];
    }

    /// <summary>Creates the alphabet that distinguishes what either of two alphabets does.</summary>
    /// <param name="one">The first alphabet.</param>
    /// <param name="other">The second alphabet.</param>
    /// <param name="pairs">Receives the classes in the two alphabets of each class.</param>
    public static Alphabet Cross(Alphabet one, Alphabet other, out (int One, int Other)[] pairs)
    {
        Alphabet result = Make(one._starts.Union(other._starts).Order(), start => (one.ClassOf(start), other.ClassOf(start)));
        pairs = new (int, int)[result.Count];
        for (int i = 0; i < result._starts.Length; i++)
        {
            pairs[result._classes[i]] = (one.ClassOf(result._starts[i]), other.ClassOf(result._starts[i]));
        }

        return result;
    }

    /// <summary>Returns the class of a code point.</summary>
    public int ClassOf(int codePoint)
    {
        int index = Array.BinarySearch(_starts, codePoint);
        return _classes[index >= 0 ? index : ~index - 1];
    }

    private static IEnumerable<CharSet> Limited(IEnumerable<CharSet> sets, WorkBudget work)
    {
        foreach (CharSet set in sets)
        {
            work.Spend(1 + set.Ranges.Count);
            yield return set;
        }
    }

    private static FormatException TooLarge() => new("it has too many sets of characters that overlap; use fewer of them");

    private static Alphabet Make<T>(IEnumerable<int> starts, Func<int, T> keyOf)
        where T : notnull
    {
        var known = new Dictionary<T, int>();
        int[] all = [.. starts];
        int[] classes = Array.ConvertAll(all, start =>
        {
            T key = keyOf(start);
            return known.TryGetValue(key, out int it) ? it : known[key] = known.Count;
        });
        return new Alphabet(all, classes, known.Count);
    }

    private CharSet[] MakeSets()
    {
        var ranges = new List<(int, int)>[Count];
        for (int i = 0; i < _starts.Length; i++)
        {
            (ranges[_classes[i]] ??= []).Add((_starts[i], i + 1 < _starts.Length ? _starts[i + 1] - 1 : CharSet.Last));
        }

        return Array.ConvertAll(ranges, list => CharSet.Of(list));
    }
}
