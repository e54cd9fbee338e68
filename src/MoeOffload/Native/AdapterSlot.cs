namespace MoeOffload.Native;

/// <summary>The adapters that a session wants, which its contexts take over between two steps. Safe to use from several threads.</summary>
internal sealed class AdapterSlot
{
    private readonly Lock _gate = new();
    private AdapterSet _wanted;
    private bool _isReleased;

    public AdapterSlot(IReadOnlyList<(AdapterHandle Handle, float Scale)> adapters) => _wanted = new AdapterSet(adapters);

    /// <summary>What is wanted now; only to be compared, or read: another thread may release it.</summary>
    public AdapterSet Wanted => Volatile.Read(ref _wanted);

    /// <summary>Wants others.</summary>
    /// <exception cref="ObjectDisposedException">One was disposed.</exception>
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

    /// <summary>What is wanted, kept for the caller.</summary>
    public AdapterSet Take()
    {
        lock (_gate)
        {
            _wanted.Keep();
            return _wanted;
        }
    }

    /// <summary>Wants nothing any more once the session has ended.</summary>
    public void ReleaseAfter(Task ended) =>
        ended.ContinueWith(_ => Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Wants nothing any more.</summary>
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
