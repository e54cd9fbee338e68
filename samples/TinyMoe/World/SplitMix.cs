namespace TinyMoe.World;

/// <summary>Generates random numbers that are the same on every platform and version: SplitMix64 (Steele et al. 2014, doi:10.1145/2714064.2660195).</summary>
internal sealed class SplitMix(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    /// <summary>Gets a number from 0 to less than <paramref name="count"/>.</summary>
    public int Below(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);

    public bool Chance(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    public T Choose<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>Gets a hash of a text that does not depend on the runtime.</summary>
    public static ulong Hash(string text)
    {
        ulong hash = 0;
        foreach (char letter in text)
        {
            hash = Mix(hash + 0x9E3779B97F4A7C15 + letter);
        }

        return hash;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
