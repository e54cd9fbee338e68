namespace MoeOffload.Inference;

/// <summary>Counts what the scheduler's thread does, for any thread to read.</summary>
internal sealed class SessionCounters
{
    private long _requests;
    private long _promptTokens;
    private long _cachedPromptTokens;
    private long _cacheHits;
    private long _evictions;
    private long _parked;
    private long _restored;
    private long _keptTokens;
    private long _parkedBytes;

    /// <summary>A request gets a place.</summary>
    public void Began(int promptTokens, int cached)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _promptTokens, promptTokens);
        Interlocked.Add(ref _cachedPromptTokens, cached);
        Interlocked.Add(ref _cacheHits, cached > 0 ? 1 : 0);
    }

    /// <summary>Kept tokens leave the KV cache.</summary>
    public void Evicted() => Interlocked.Increment(ref _evictions);

    /// <summary>Kept tokens go to system memory.</summary>
    public void Parked() => Interlocked.Increment(ref _parked);

    /// <summary>Kept tokens come back from system memory.</summary>
    public void Restored() => Interlocked.Increment(ref _restored);

    /// <summary>What is kept now.</summary>
    public void Keeps(long tokens, long parkedBytes)
    {
        Volatile.Write(ref _keptTokens, tokens);
        Volatile.Write(ref _parkedBytes, parkedBytes);
    }

    /// <summary>The present values.</summary>
    public SessionStatistics Read(int running, int queued) => new()
    {
        RunningCount = running,
        QueuedCount = queued,
        RequestCount = Volatile.Read(ref _requests),
        PromptTokens = Volatile.Read(ref _promptTokens),
        CachedPromptTokens = Volatile.Read(ref _cachedPromptTokens),
        PrefixHits = Volatile.Read(ref _cacheHits),
        Evictions = Volatile.Read(ref _evictions),
        Parkings = Volatile.Read(ref _parked),
        Restorations = Volatile.Read(ref _restored),
        KeptTokens = Volatile.Read(ref _keptTokens),
        ParkedBytes = Volatile.Read(ref _parkedBytes),
    };
}
