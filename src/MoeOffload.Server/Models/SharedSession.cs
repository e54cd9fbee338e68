namespace MoeOffload.Server.Models;

/// <summary>
/// Represents the session that the requests of a model share. It can be replaced by one with a longer context; the former one is disposed when no
/// request uses it any more. This type is thread-safe.
/// </summary>
internal sealed class SharedSession(GenerationSession first) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Use> _former = [];
    private Use _current = new(first);

    /// <summary>Gets the session for new requests.</summary>
    public GenerationSession Current => Volatile.Read(ref _current).Session;

    /// <summary>Gets all sessions that use memory, the one for new requests first.</summary>
    public IReadOnlyList<GenerationSession> All
    {
        get
        {
            lock (_gate)
            {
                return [_current.Session, .. _former.Select(use => use.Session)];
            }
        }
    }

    /// <summary>Gets a value that indicates whether a request uses the session for new requests.</summary>
    public bool IsInUse
    {
        get
        {
            lock (_gate)
            {
                return _current.Count > 0;
            }
        }
    }

    /// <summary>Begins a use of the session for new requests.</summary>
    /// <returns>The session, and the action that ends its use.</returns>
    public (GenerationSession Session, Action Leave) Enter()
    {
        lock (_gate)
        {
            Use use = _current;
            use.Count++;
            return (use.Session, () => Leave(use));
        }
    }

    /// <summary>Replaces the session for new requests.</summary>
    public void Replace(GenerationSession session)
    {
        lock (_gate)
        {
            Use former = _current;
            Volatile.Write(ref _current, new Use(session));
            _former.Add(former);
            FreeIfUnused(former);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GenerationSession session in All)
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Leave(Use use)
    {
        lock (_gate)
        {
            use.Count--;
            FreeIfUnused(use);
        }
    }

    private void FreeIfUnused(Use use)
    {
        if (use.Count == 0 && _former.Contains(use))
        {
            _ = FreeAsync(use);
        }
    }

    private async Task FreeAsync(Use use)
    {
        await use.Session.DisposeAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _former.Remove(use);
        }
    }

    private sealed class Use(GenerationSession session)
    {
        public GenerationSession Session => session;

        public int Count { get; set; }
    }
}
