namespace MoeOffload.Inference.Planning;

/// <summary>Counts the events of a session. The counters can be read from any thread.</summary>
internal sealed class SessionCounters
{
    private long _requests;
    private long _promptTokens;
    private long _cachedPromptTokens;
    private long _cacheHits;
    private long _evictions;
    private long _swappedOut;
    private long _swappedIn;
    private long _keptTokens;
    private long _hostBytes;
    private int _threads;

    /// <summary>Counts a request that was admitted.</summary>
    public void OnAdmitted(int promptTokens, int cached)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _promptTokens, promptTokens);
        Interlocked.Add(ref _cachedPromptTokens, cached);
        Interlocked.Add(ref _cacheHits, cached > 0 ? 1 : 0);
    }

    /// <summary>Counts a kept sequence that was evicted from the KV cache.</summary>
    public void OnEvicted() => Interlocked.Increment(ref _evictions);

    /// <summary>Counts a kept sequence that was swapped out to system memory.</summary>
    public void OnSwappedOut() => Interlocked.Increment(ref _swappedOut);

    /// <summary>Counts a kept sequence that was swapped in from system memory.</summary>
    public void OnSwappedIn() => Interlocked.Increment(ref _swappedIn);

    /// <summary>Records the number of threads that compute.</summary>
    public void OnThreads(int count) => Volatile.Write(ref _threads, count);

    /// <summary>Records the current size of what is kept.</summary>
    public void OnKept(long tokens, long hostBytes)
    {
        Volatile.Write(ref _keptTokens, tokens);
        Volatile.Write(ref _hostBytes, hostBytes);
    }

    /// <summary>Returns the current values.</summary>
    public SessionStatistics Read(int running, int queued) => new()
    {
        RunningCount = running,
        ThreadCount = Volatile.Read(ref _threads),
        QueuedCount = queued,
        RequestCount = Volatile.Read(ref _requests),
        PromptTokens = Volatile.Read(ref _promptTokens),
        CachedPromptTokens = Volatile.Read(ref _cachedPromptTokens),
        PrefixHits = Volatile.Read(ref _cacheHits),
        Evictions = Volatile.Read(ref _evictions),
        SwapOuts = Volatile.Read(ref _swappedOut),
        SwapIns = Volatile.Read(ref _swappedIn),
        PrefixCacheTokens = Volatile.Read(ref _keptTokens),
        SwappedOutBytes = Volatile.Read(ref _hostBytes),
    };
}
