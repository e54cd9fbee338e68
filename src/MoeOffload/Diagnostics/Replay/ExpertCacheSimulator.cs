using MoeOffload.Diagnostics.Replay;

namespace MoeOffload.Diagnostics;

/// <summary>
/// Plays a trace of experts against caches of different sizes and policies. It needs neither the model nor native libraries. Instances can be used from several
/// threads at the same time.
/// </summary>
/// <remarks>
/// A cache holds experts of all layers. In each micro-batch, the experts of a layer are used in the order in which they first appear, each once.
/// Layers whose experts have an unknown size (0 bytes) are left out.
/// </remarks>
public sealed class ExpertCacheSimulator
{
    private readonly ExpertUses _uses;

    /// <summary>Initializes a new instance of the <see cref="ExpertCacheSimulator"/> class. This takes time and memory that grow with the trace.</summary>
    /// <param name="trace">The trace.</param>
    public ExpertCacheSimulator(ExpertTrace trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        Trace = trace;
        _uses = new ExpertUses(trace);
        LargestExpertBytes = trace.Model.ExpertBytes.Max();
    }

    /// <summary>Gets the trace.</summary>
    public ExpertTrace Trace { get; }

    /// <summary>Gets the size of the largest expert in bytes, which is the smallest budget.</summary>
    public long LargestExpertBytes { get; }

    /// <summary>Gets the size of all different experts that are used in the trace, in bytes. A larger cache has no more hits.</summary>
    public long UsedBytes => Enumerable.Range(0, _uses.ObjectCount).Where(expert => _uses.Counts[expert] > 0).Sum(_uses.BytesOf);

    /// <summary>Plays the trace. This takes time that grows with the trace.</summary>
    /// <param name="policy">The policy of the cache.</param>
    /// <param name="budgetBytes">The size of the cache, in bytes.</param>
    /// <returns>The hits, the misses, and the bytes that were moved.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The policy is not defined, or the budget is smaller than <see cref="LargestExpertBytes"/>.</exception>
    public ExpertCacheResult Run(ExpertCachePolicy policy, long budgetBytes)
    {
        OptionRange.CheckDefined(policy, nameof(policy));
        if (budgetBytes < Math.Max(1, LargestExpertBytes))
        {
            throw new ArgumentOutOfRangeException(
                nameof(budgetBytes), budgetBytes, $"The largest expert has {LargestExpertBytes} bytes. Specify a budget that holds it.");
        }

        ISimulatedCache cache = policy switch
        {
            ExpertCachePolicy.WholeLayers => FixedCache.OfLayers(_uses, budgetBytes),
            ExpertCachePolicy.StaticHottest => FixedCache.OfHottest(_uses, budgetBytes),
            ExpertCachePolicy.Belady => new BeladyCache(_uses, budgetBytes),
            _ => new EvictingCache(_uses, policy, budgetBytes),
        };
        ExpertCacheUse prompts = default;
        ExpertCacheUse decode = default;
        int position = 0;
        for (int step = 0; step < _uses.StepEnds.Length; step++)
        {
            (int tokens, bool isDecode) = _uses.Steps[step];
            var use = new ExpertCacheUse(tokens, 0, 0, 0, 0);
            for (; position < _uses.StepEnds[step]; position++)
            {
                int expert = _uses.Order[position];
                long bytes = _uses.BytesOf(expert);
                use = cache.Use(position, expert)
                    ? use with { Hits = use.Hits + 1, HitBytes = use.HitBytes + bytes }
                    : use with { Misses = use.Misses + 1, MovedBytes = use.MovedBytes + bytes };
            }

            (prompts, decode) = isDecode ? (prompts, Sum(decode, use)) : (Sum(prompts, use), decode);
        }

        return new ExpertCacheResult(policy, budgetBytes, Sum(prompts, decode), decode);
    }

    /// <summary>Measures the reuse distances. This takes time that grows with the trace.</summary>
    /// <returns>The distances.</returns>
    public ExpertReuse MeasureReuse()
    {
        // The sizes of the experts, each at the position of its last use: their sum behind a position is what was used since.
        var sizes = new PrefixSums(_uses.Order.Length);
        int[] lastUses = new int[_uses.ObjectCount];
        Array.Fill(lastUses, -1);
        List<long> distances = [];
        long total = 0;
        for (int position = 0; position < _uses.Order.Length; position++)
        {
            int expert = _uses.Order[position];
            long bytes = _uses.BytesOf(expert);
            int last = lastUses[expert];
            if (last >= 0)
            {
                distances.Add(total - sizes.SumBefore(last));
                sizes.Add(last, -bytes);
                total -= bytes;
            }

            sizes.Add(position, bytes);
            total += bytes;
            lastUses[expert] = position;
        }

        distances.Sort();
        return new ExpertReuse([.. distances], _uses.Order.Length - distances.Count);
    }

    private static ExpertCacheUse Sum(ExpertCacheUse one, ExpertCacheUse other) => new(
        one.TokenCount + other.TokenCount,
        one.Hits + other.Hits,
        one.Misses + other.Misses,
        one.HitBytes + other.HitBytes,
        one.MovedBytes + other.MovedBytes);
}
