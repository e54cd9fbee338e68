namespace MoeOffload.Diagnostics.Replay;

/// <summary>Represents a cache that knows the future, and keeps what is used again soonest.</summary>
/// <param name="uses">The uses of the trace.</param>
/// <param name="budget">The size of the cache, in bytes.</param>
internal sealed class BeladyCache(ExpertUses uses, long budget) : ISimulatedCache
{
    private readonly int[] _next = uses.FindNextUses();
    private readonly SortedSet<(int NextUse, int Expert)> _kept = [];
    private long _bytes;

    /// <inheritdoc/>
    public bool Use(int position, int expert)
    {
        // The next use of an expert in the cache is this one.
        bool isHit = _kept.Remove((position, expert));
        if (isHit)
        {
            _bytes -= uses.BytesOf(expert);
        }

        int next = _next[position];
        if (next != int.MaxValue && TryMakeRoom(uses.BytesOf(expert), next))
        {
            _kept.Add((next, expert));
            _bytes += uses.BytesOf(expert);
        }

        return isHit;
    }

    // Evicts what is used after a position. If that does not make enough room, the expert at the position is not kept.
    private bool TryMakeRoom(long bytes, int next)
    {
        while (_bytes + bytes > budget)
        {
            if (_kept.Count == 0 || _kept.Max.NextUse < next)
            {
                return false;
            }

            _bytes -= uses.BytesOf(_kept.Max.Expert);
            _kept.Remove(_kept.Max);
        }

        return true;
    }
}
