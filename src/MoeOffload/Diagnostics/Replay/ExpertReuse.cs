namespace MoeOffload.Diagnostics;

/// <summary>
/// Represents the reuse distances of a trace: for each use of an expert, the size of all different experts that were used since its last use, including
/// itself. A cache that evicts the least recently used expert has a hit if its budget is at least the distance. Instances are immutable.
/// </summary>
public sealed class ExpertReuse
{
    private readonly long[] _distances;

    internal ExpertReuse(long[] sortedDistances, long firstUses)
    {
        _distances = sortedDistances;
        FirstUseCount = firstUses;
    }

    /// <summary>Gets the number of first uses, which have no distance. They are misses in every cache.</summary>
    public long FirstUseCount { get; }

    /// <summary>Gets the number of uses of experts that were used before.</summary>
    public long ReuseCount => _distances.LongLength;

    /// <summary>Gets the distance that a share of the reuses does not exceed.</summary>
    /// <param name="share">The share, from 0 to 1. 0.5 is the median.</param>
    /// <returns>The distance in bytes, or <see langword="null"/> if there is no reuse.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The share is not from 0 to 1.</exception>
    public long? GetQuantile(double share)
    {
        if (!(share >= 0 && share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "Specify a share from 0 to 1.");
        }

        return _distances.Length == 0 ? null : _distances[Math.Max(0, (int)Math.Ceiling(share * _distances.Length) - 1)];
    }

    /// <summary>Gets the share of all uses, including first ones, whose distance a budget covers. It is the hit rate of <see cref="ExpertCachePolicy.LeastRecentlyUsed"/>.</summary>
    /// <param name="budgetBytes">The size of the cache, in bytes.</param>
    /// <returns>The share, from 0 to 1.</returns>
    public double GetHitRate(long budgetBytes) => _distances.Length == 0 ? 0 : CountWithin(budgetBytes) / (double)(ReuseCount + FirstUseCount);

    /// <summary>Gets the number of reuses whose distance a budget covers.</summary>
    /// <param name="budgetBytes">The size of the cache, in bytes.</param>
    /// <returns>The number.</returns>
    public long CountWithin(long budgetBytes)
    {
        int low = 0;
        int high = _distances.Length;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = _distances[middle] <= budgetBytes ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
