namespace MoeOffload.Diagnostics.Replay;

/// <summary>
/// Represents a cache that keeps each expert that is used, and evicts others for it. Its experts are in lists by the number of their uses, each in the order
/// of the last use, so that the first of each list are the only candidates.
/// </summary>
/// <param name="uses">The uses of the trace.</param>
/// <param name="policy">What is evicted.</param>
/// <param name="budget">The size of the cache, in bytes. The largest expert fits.</param>
internal sealed class EvictingCache(ExpertUses uses, ExpertCachePolicy policy, long budget) : ISimulatedCache
{
    private readonly Dictionary<long, LinkedList<int>> _lists = [];
    private readonly LinkedListNode<int>?[] _nodes = new LinkedListNode<int>?[uses.ObjectCount];
    private readonly long[] _counts = new long[uses.ObjectCount];
    private readonly int[] _lastUses = new int[uses.ObjectCount];
    private long _bytes;

    /// <inheritdoc/>
    public bool Use(int position, int expert)
    {
        bool isHit = _nodes[expert] is not null;
        if (isHit)
        {
            Remove(expert);
        }

        while (_bytes + uses.BytesOf(expert) > budget)
        {
            Remove(ChooseVictim(position));
        }

        _counts[expert]++;
        _lastUses[expert] = position;
        Add(expert);
        return isHit;
    }

    // With the least recently used, all experts are in one list.
    private long ListOf(int expert) => policy == ExpertCachePolicy.LeastRecentlyUsed ? 0 : _counts[expert];

    private int ChooseVictim(int position)
    {
        int victim = -1;
        double worst = double.NegativeInfinity;
        foreach ((long count, LinkedList<int> list) in _lists)
        {
            int candidate = list.First!.Value;
            double score = policy == ExpertCachePolicy.LeastStale ? (position - _lastUses[candidate]) / (double)count : -count;
            if (score > worst || (score == worst && _lastUses[candidate] < _lastUses[victim]))
            {
                (victim, worst) = (candidate, score);
            }
        }

        return victim;
    }

    private void Add(int expert)
    {
        if (!_lists.TryGetValue(ListOf(expert), out LinkedList<int>? list))
        {
            list = new LinkedList<int>();
            _lists.Add(ListOf(expert), list);
        }

        _nodes[expert] = list.AddLast(expert);
        _bytes += uses.BytesOf(expert);
    }

    private void Remove(int expert)
    {
        LinkedList<int> list = _nodes[expert]!.List!;
        list.Remove(_nodes[expert]!);
        _nodes[expert] = null;
        _bytes -= uses.BytesOf(expert);
        if (list.Count == 0)
        {
            _lists.Remove(ListOf(expert));
        }
    }
}
