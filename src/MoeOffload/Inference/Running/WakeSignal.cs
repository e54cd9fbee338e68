namespace MoeOffload.Inference.Running;

/// <summary>Wakes a thread that waits for work. If the signal is set before the wait, the wait returns immediately.</summary>
internal sealed class WakeSignal
{
    // The system limits how long a wait can be, and a deadline can be much longer.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    private readonly object _gate = new();
    private bool _isSet;
    private long _waitCount;

    /// <summary>Gets the number of waits that have ended.</summary>
    public long WaitCount => Interlocked.Read(ref _waitCount);

    /// <summary>Wakes the thread.</summary>
    public void Set()
    {
        lock (_gate)
        {
            _isSet = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for <see cref="Set"/>.</summary>
    /// <param name="limit">
    /// The maximum time to wait, which is rounded up to milliseconds, or <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    public void Wait(TimeSpan limit)
    {
        // The system would round down, so that a thread would wake before what it waits for.
        limit = limit > s_longestWait ? s_longestWait : TimeSpan.FromMilliseconds(Math.Ceiling(limit.TotalMilliseconds));
        lock (_gate)
        {
            while (!_isSet && Monitor.Wait(_gate, limit))
            {
            }

            _isSet = false;
        }

        Interlocked.Increment(ref _waitCount);
    }
}
