namespace MoeOffload.Inference.Speculation;

/// <summary>The hidden states of the last tokens of one sequence that were computed.</summary>
/// <param name="capacity">How many are kept.</param>
/// <param name="width">Floats of one.</param>
internal sealed class RecentHidden(int capacity, int width)
{
    private readonly float[] _rows = new float[capacity * width];
    private int _start;
    private int _count;

    /// <summary>How many are kept at most.</summary>
    public int Capacity => capacity;

    /// <summary>That of the token at a position; empty where it is not known.</summary>
    public ReadOnlySpan<float> At(int position) =>
        position >= _start && position < _start + _count ? _rows.AsSpan((position - _start) * width, width) : default;

    /// <summary>Forgets all, and begins anew at a position.</summary>
    public void Restart(int position)
    {
        _start = position;
        _count = 0;
    }

    /// <summary>Takes that of the next position.</summary>
    public void Add(ReadOnlySpan<float> row) => row.CopyTo(_rows.AsSpan(width * _count++, width));

    /// <summary>Forgets those from a position on.</summary>
    public void Cut(int fromPosition) => _count = Math.Clamp(fromPosition - _start, 0, _count);

    /// <summary>Follows positions that were forgotten, and those behind that moved down.</summary>
    public void Discard(int from, int to)
    {
        if (_start >= to)
        {
            _start -= to - from;
        }
        else
        {
            Cut(from);
        }
    }

    /// <summary>Takes over another sequence's.</summary>
    public void CopyFrom(RecentHidden other)
    {
        _start = other._start;
        _count = other._count;
        other._rows.CopyTo(_rows, 0);
    }
}
