using System.Text;

namespace MoeOffload.Inference.Automata;

/// <summary>Represents a set of Unicode code points as sorted ranges that neither overlap nor touch.</summary>
internal sealed class CharSet
{
    /// <summary>The largest code point.</summary>
    public const int Last = 0x10FFFF;

    private readonly (int From, int To)[] _ranges;

    private CharSet((int From, int To)[] ranges) => _ranges = ranges;

    /// <summary>Gets the set of all code points.</summary>
    public static CharSet All { get; } = new([(0, Last)]);

    /// <summary>Gets the ranges.</summary>
    public IReadOnlyList<(int From, int To)> Ranges => _ranges;

    /// <summary>Gets a value that indicates whether the set has no members.</summary>
    public bool IsEmpty => Ranges.Count == 0;

    /// <summary>Gets a value that indicates whether the set has all code points that are not surrogates.</summary>
    public bool HasAllScalars => Except(Of((0xD800, 0xDFFF))).Ranges is [(0, 0xD7FF), (0xE000, Last)];

    /// <summary>Creates a set of ranges, which can be in any order and overlap.</summary>
    public static CharSet Of(params IEnumerable<(int From, int To)> ranges)
    {
        List<(int From, int To)> merged = [];
        foreach ((int from, int to) in ranges.Where(range => range.From <= range.To).OrderBy(range => range.From))
        {
            if (merged.Count > 0 && from <= merged[^1].To + 1)
            {
                merged[^1] = (merged[^1].From, Math.Max(merged[^1].To, to));
            }
            else
            {
                merged.Add((from, to));
            }
        }

        return new CharSet([.. merged]);
    }

    /// <summary>Creates the set of the characters of a string.</summary>
    public static CharSet Of(string characters) => Of(characters.EnumerateRunes().Select(rune => (rune.Value, rune.Value)));

    /// <summary>Returns the members of either set.</summary>
    public CharSet Union(CharSet other) => Of(Ranges.Concat(other.Ranges));

    /// <summary>Returns the code points that are not members.</summary>
    public CharSet Complement()
    {
        List<(int From, int To)> gaps = [];
        int next = 0;
        foreach ((int from, int to) in Ranges)
        {
            gaps.Add((next, from - 1));
            next = to + 1;
        }

        gaps.Add((next, Last));
        return Of(gaps);
    }

    /// <summary>Returns the members that are not in the other set.</summary>
    public CharSet Except(CharSet other) => Complement().Union(other).Complement();

    /// <summary>Returns the members of both sets.</summary>
    public CharSet Intersect(CharSet other) => Complement().Union(other.Complement()).Complement();

    /// <summary>Determines whether a code point is a member.</summary>
    public bool Contains(int codePoint)
    {
        int first = 0;
        int last = _ranges.Length - 1;
        while (first <= last)
        {
            int middle = (first + last) / 2;
            if (codePoint > _ranges[middle].To)
            {
                first = middle + 1;
            }
            else if (codePoint < _ranges[middle].From)
            {
                last = middle - 1;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Ranges.Aggregate(new StringBuilder(), (text, range) => text.Append(range.From).Append('-').Append(range.To).Append(' ')).ToString();
}
