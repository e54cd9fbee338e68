namespace MoeOffload;

/// <summary>What one state of a <see cref="PatternProgram"/> does.</summary>
internal enum PatternOperation
{
    /// <summary>The name matches.</summary>
    Accept,

    /// <summary>Takes one byte of a set.</summary>
    Take,

    /// <summary>Tries one branch, then the other.</summary>
    Split,

    /// <summary>Repeats a body or goes on.</summary>
    Repeat,

    /// <summary>A capture begins.</summary>
    GroupBegin,

    /// <summary>A capture ends.</summary>
    GroupEnd,

    /// <summary>Takes what a capture took.</summary>
    BackReference,

    /// <summary>Only at the start of the name.</summary>
    Start,

    /// <summary>Only at the end of the name.</summary>
    End,

    /// <summary>Only between a word character and another.</summary>
    WordBoundary,

    /// <summary>Only where a program of its own would match.</summary>
    Lookahead,
}

/// <summary>One state: what to do, where to go next, and what the operation needs.</summary>
/// <param name="Operation">What to do.</param>
/// <param name="Next">The state that follows.</param>
/// <param name="Other">The body of a repetition or lookahead, or the branch to try first.</param>
/// <param name="Set">The bytes that <see cref="PatternOperation.Take"/> takes.</param>
/// <param name="Group">The capture's number.</param>
/// <param name="Inverted">Lazy repetition, negative lookahead, or no word boundary.</param>
internal readonly record struct PatternState(
    PatternOperation Operation, int Next, int Other = -1, ByteSet? Set = null, int Group = 0, bool Inverted = false);

/// <summary>A compiled placement pattern.</summary>
/// <param name="States">All states.</param>
/// <param name="Entry">The first state.</param>
/// <param name="GroupCount">How many captures there are, the whole match included.</param>
internal sealed record PatternProgram(PatternState[] States, int Entry, int GroupCount);

/// <summary>A set of byte values.</summary>
internal sealed class ByteSet
{
    private readonly ulong[] _bits = new ulong[4];

    public bool Contains(byte value) => (_bits[value >> 6] >> (value & 63) & 1) != 0;

    public void Add(byte value) => _bits[value >> 6] |= 1UL << (value & 63);

    public void AddRange(byte first, byte last)
    {
        for (int value = first; value <= last; value++)
        {
            Add((byte)value);
        }
    }

    public void AddWhere(Func<byte, bool> condition)
    {
        for (var value = 0; value < 256; value++)
        {
            if (condition((byte)value))
            {
                Add((byte)value);
            }
        }
    }

    public void Invert()
    {
        for (var i = 0; i < _bits.Length; i++)
        {
            _bits[i] = ~_bits[i];
        }
    }
}
