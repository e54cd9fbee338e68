namespace MoeOffload.Native;

/// <summary>Holds the adapters that a session has selected. Its contexts apply them between two steps. Instances are thread-safe.</summary>
internal sealed class AdapterSlot
{
    private readonly Lock _gate = new();
    private AdapterSet _wanted;
    private bool _isReleased;

    public AdapterSlot(IReadOnlyList<(AdapterHandle Handle, float Scale)> adapters) => _wanted = new AdapterSet(adapters);

    /// <summary>Gets the selected adapters, only to be compared or read, since another thread can release them.</summary>
    public AdapterSet Wanted => Volatile.Read(ref _wanted);

    /// <summary>Selects other adapters.</summary>
    /// <exception cref="ObjectDisposedException">An adapter has been disposed.</exception>
    public void Set(IReadOnlyList<(AdapterHandle Handle, float Scale)> adapters)
    {
        var set = new AdapterSet(adapters);
        lock (_gate)
        {
            if (_isReleased)
            {
                set.Release();
                return;
            }

            (set, _wanted) = (_wanted, set);
        }

        set.Release();
    }

    /// <summary>Gets the selected adapters, with a reference that the caller must release.</summary>
    public AdapterSet Take()
    {
        lock (_gate)
        {
            _wanted.Keep();
            return _wanted;
        }
    }

    /// <summary>Releases the adapters when the session has ended.</summary>
    public void ReleaseAfter(Task ended) =>
        ended.ContinueWith(_ => Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Releases the adapters.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (_isReleased)
            {
                return;
            }

            _isReleased = true;
        }

        _wanted.Release();
    }
}
