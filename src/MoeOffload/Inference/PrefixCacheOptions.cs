namespace MoeOffload;

/// <summary>
/// Provides options for the prefix cache, which keeps the KV cache of earlier prompts and answers. A request whose prompt starts with a
/// cached prefix computes only the rest of its prompt.
/// </summary>
/// <remarks>
/// Cached sequences never take space that a running request needs: the least recently used ones are evicted first. For models with a
/// recurrent state, only a complete cached sequence can be continued. For models with sliding-window attention, a cached sequence can be
/// continued only at positions whose window is still in the KV cache.
/// </remarks>
public sealed record PrefixCacheOptions
{
    /// <summary>
    /// Gets or sets a value that indicates whether the prefix cache is enabled. If it is <see langword="false"/>, every request computes
    /// its whole prompt. The default is <see langword="true"/>.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Gets or sets the maximum size, in bytes, of the system memory to which sequences that are evicted from the KV cache are swapped out,
    /// so that later requests can use them again. The default is 0, which discards evicted sequences.
    /// </summary>
    public long HostBytes { get; set; }

    internal void Validate() => ArgumentOutOfRangeException.ThrowIfNegative(HostBytes, nameof(HostBytes));
}
