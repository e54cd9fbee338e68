namespace MoeOffload.Diagnostics;

/// <summary>Represents what the steps of one kind took of a simulated cache.</summary>
/// <param name="TokenCount">The number of tokens.</param>
/// <param name="Hits">The number of uses of experts that were in the cache. An expert counts once for each layer and micro-batch that uses it.</param>
/// <param name="Misses">The number of uses of experts that were not in the cache.</param>
/// <param name="HitBytes">The size of the experts that were in the cache, in bytes.</param>
/// <param name="MovedBytes">The size of the experts that were not in the cache and had to be moved, in bytes.</param>
public readonly record struct ExpertCacheUse(long TokenCount, long Hits, long Misses, long HitBytes, long MovedBytes)
{
    /// <summary>Gets the share of the uses that were hits, from 0 to 1, or 0 if there were no uses.</summary>
    public double HitRate => Hits + Misses > 0 ? Hits / (double)(Hits + Misses) : 0;

    /// <summary>Gets the number of bytes that were moved for each token, or 0 if there were no tokens.</summary>
    public double MovedBytesPerToken => TokenCount > 0 ? MovedBytes / (double)TokenCount : 0;

    /// <summary>
    /// Calculates how many tokens a second there are at most, if nothing takes time except for moving missing experts and, if a speed is given, reading all
    /// experts from memory to compute with them.
    /// </summary>
    /// <param name="readSpeed">How fast missing experts are moved, in bytes per second.</param>
    /// <param name="memorySpeed">How fast experts are read from the memory of the cache, in bytes per second, or <see langword="null"/> to leave this out.</param>
    /// <returns>The number of tokens per second, which is infinite if nothing takes time, or 0 if there were no tokens.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A speed is not greater than 0.</exception>
    public double GetBound(double readSpeed, double? memorySpeed = null)
    {
        if (!(readSpeed > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(readSpeed), readSpeed, "Specify a speed greater than 0.");
        }

        if (memorySpeed is { } speed && !(speed > 0))
        {
            throw new ArgumentOutOfRangeException(nameof(memorySpeed), memorySpeed, "Specify a speed greater than 0, or null.");
        }

        double seconds = (MovedBytes / readSpeed) + (memorySpeed is { } memory ? (HitBytes + MovedBytes) / memory : 0);
        return TokenCount == 0 ? 0 : TokenCount / seconds;
    }
}
