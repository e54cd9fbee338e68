namespace MoeOffload.Diagnostics.Replay;

/// <summary>Represents a cache that keeps certain experts from their first use on, and no others.</summary>
/// <param name="isKept">Whether each expert is kept.</param>
internal sealed class FixedCache(bool[] isKept) : ISimulatedCache
{
    private readonly bool[] _isPresent = new bool[isKept.Length];

    /// <summary>Keeps the experts with the most uses for each byte that fit.</summary>
    public static FixedCache OfHottest(ExpertUses uses, long budget) => new(Choose(
        budget, [.. Enumerable.Range(0, uses.ObjectCount).Where(expert => uses.Counts[expert] > 0)
            .Select(expert => (Experts: new[] { expert }, Uses: uses.Counts[expert], Bytes: uses.BytesOf(expert)))], uses.ObjectCount));

    /// <summary>Keeps whole layers, those with the most uses for each byte that fit.</summary>
    public static FixedCache OfLayers(ExpertUses uses, long budget) => new(Choose(
        budget, [.. Enumerable.Range(0, uses.ObjectCount).GroupBy(expert => expert / uses.ExpertCount)
            .Select(layer => (Experts: layer.ToArray(), Uses: layer.Sum(expert => uses.Counts[expert]), Bytes: layer.Sum(uses.BytesOf)))
            .Where(layer => layer.Uses > 0)], uses.ObjectCount));

    /// <inheritdoc/>
    public bool Use(int position, int expert)
    {
        bool isHit = _isPresent[expert];
        _isPresent[expert] = isKept[expert];
        return isHit;
    }

    private static bool[] Choose(long budget, List<(int[] Experts, long Uses, long Bytes)> groups, int count)
    {
        bool[] kept = new bool[count];
        foreach ((int[] experts, _, long bytes) in groups.OrderByDescending(group => group.Uses / (double)group.Bytes).ThenBy(group => group.Experts[0]))
        {
            if (bytes <= budget)
            {
                budget -= bytes;
                Array.ForEach(experts, expert => kept[expert] = true);
            }
        }

        return kept;
    }
}
