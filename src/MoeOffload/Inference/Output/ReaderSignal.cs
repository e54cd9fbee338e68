using System.Threading.Tasks.Sources;

namespace MoeOffload.Inference.Output;

/// <summary>Represents a reusable signal for one waiting reader that does not allocate for each wait.</summary>
internal sealed class ReaderSignal : IValueTaskSource<bool>
{
    private const int Idle = 0;
    private const int Armed = 1;
    private const int Setting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Gets a task that completes at the first <see cref="Set"/> after <see cref="Arm"/>.</summary>
    public ValueTask<bool> Task => new(this, _core.Version);

    /// <summary>Arms the signal. Call this method before checking whether the reader must wait.</summary>
    public void Arm()
    {
        // A reader whose last wait has completed can get here before the Set call that completed it returns.
        SpinWait spin = default;
        while (Volatile.Read(ref _state) == Setting)
        {
            spin.SpinOnce();
        }

        _core.Reset();
        Interlocked.Exchange(ref _state, Armed);
    }

    /// <summary>Reverts <see cref="Arm"/>.</summary>
    /// <returns><see langword="false"/> if the signal is already being set and must be awaited; otherwise, <see langword="true"/>.</returns>
    public bool TryDisarm() => Interlocked.CompareExchange(ref _state, Idle, Armed) == Armed;

    /// <summary>Wakes the reader if it waits. Call this method after the data that the reader waits for was written.</summary>
    public void Set()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _state) == Armed && Interlocked.CompareExchange(ref _state, Setting, Armed) == Armed)
        {
            _core.SetResult(true);
            Volatile.Write(ref _state, Idle);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
