namespace MoeOffload.Diagnostics.Replay;

/// <summary>Represents a list of numbers whose sums up to a position are found in logarithmic time, as they change (a Fenwick tree).</summary>
/// <param name="length">The number of numbers, which are 0 at first.</param>
internal sealed class PrefixSums(int length)
{
    private readonly long[] _sums = new long[length + 1];

    /// <summary>Adds to the number at a position.</summary>
    public void Add(int position, long value)
    {
        for (int i = position + 1; i < _sums.Length; i += i & -i)
        {
            _sums[i] += value;
        }
    }

    /// <summary>Gets the sum of all numbers before a position.</summary>
    public long SumBefore(int position)
    {
        long sum = 0;
        for (int i = position; i > 0; i -= i & -i)
        {
            sum += _sums[i];
        }

        return sum;
    }
}
