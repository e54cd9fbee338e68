namespace MoeOffload.Inference.Speculation;

/// <summary>Holds the hidden states of the most recently computed tokens of a sequence.</summary>
/// <param name="capacity">The maximum number of hidden states.</param>
/// <param name="width">The number of values in a hidden state.</param>
internal sealed class RecentHidden(int capacity, int width)
{
    private readonly float[] _rows = new float[capacity * width];
    private int _start;
    private int _count;

    /// <summary>Gets the maximum number of hidden states.</summary>
    public int Capacity => capacity;

    /// <summary>Returns the hidden state at a position, or an empty span if it is not known.</summary>
    public ReadOnlySpan<float> At(int position) =>
        position >= _start && position < _start + _count ? _rows.AsSpan((position - _start) * width, width) : default;

    /// <summary>Removes all hidden states and starts again at a position.</summary>
    public void Restart(int position)
    {
        _start = position;
        _count = 0;
    }

    /// <summary>Adds the hidden state of the next position.</summary>
    public void Add(ReadOnlySpan<float> row) => row.CopyTo(_rows.AsSpan(width * _count++, width));

    /// <summary>Removes the hidden states from a position onwards.</summary>
    public void Cut(int fromPosition) => _count = Math.Clamp(fromPosition - _start, 0, _count);

    /// <summary>Applies a shift that removed a range of positions and moved the later ones down.</summary>
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

    /// <summary>Copies the hidden states of another sequence.</summary>
    public void CopyFrom(RecentHidden other)
    {
        _start = other._start;
        _count = other._count;
        other._rows.CopyTo(_rows, 0);
    }
}
