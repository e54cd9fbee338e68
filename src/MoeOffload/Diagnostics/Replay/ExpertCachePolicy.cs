namespace MoeOffload.Diagnostics;

/// <summary>Specifies which experts stay in a simulated cache. Every cache is empty at first, so that the first use of an expert is always a miss.</summary>
public enum ExpertCachePolicy
{
    /// <summary>
    /// No cache: the experts of whole layers stay, as a placement by layers keeps them. Layers are taken in the order of their uses for each byte, as long as
    /// they fit.
    /// </summary>
    WholeLayers,

    /// <summary>The experts with the most uses for each byte in the whole trace stay, and no others.</summary>
    StaticHottest,

    /// <summary>The expert whose last use is longest ago is evicted.</summary>
    LeastRecentlyUsed,

    /// <summary>The expert with the fewest uses since the beginning is evicted; of several, the one whose last use is longest ago.</summary>
    LeastFrequentlyUsed,

    /// <summary>
    /// The expert whose last use is longest ago relative to its frequency is evicted: that with the largest number of uses of any experts since its last use,
    /// divided by the number of its own uses since the beginning.
    /// </summary>
    LeastStale,

    /// <summary>
    /// Belady's algorithm, which knows the future: the expert whose next use is farthest away is evicted, or not kept in the first place. If all experts have
    /// the same size, no cache has more hits.
    /// </summary>
    Belady,
}
