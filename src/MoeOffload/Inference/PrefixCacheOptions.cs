namespace MoeOffload;

/// <summary>
/// What a session keeps of prompts and answers, so that a request whose prompt begins as another one did computes only the rest. Plain
/// data: making one calls nothing.
/// </summary>
/// <remarks>
/// What is kept never takes room that a request needs: it is dropped, the least recently used first. Models with a recurrent state can
/// only continue what is kept as a whole; models with sliding-window attention only where the window is still there.
/// </remarks>
public sealed record PrefixCacheOptions
{
    /// <summary>Whether anything is kept. Default: true. Off, a request computes its whole prompt.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// Bytes of system memory to which what has to leave the KV cache may go, and come back when it is asked for. Default: 0, it is
    /// dropped.
    /// </summary>
    public long HostBytes { get; set; }

    internal void Validate() => ArgumentOutOfRangeException.ThrowIfNegative(HostBytes, nameof(HostBytes));
}
