using System.Threading.Tasks.Sources;

namespace MoeOffload.Inference.Output;

/// <summary>A reusable wake-up for one waiting reader, without an allocation for each wait.</summary>
internal sealed class ReaderSignal : IValueTaskSource<bool>
{
    private const int Idle = 0;
    private const int Armed = 1;
    private const int Setting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Completes at the first <see cref="Set"/> after <see cref="Arm"/>.</summary>
    public ValueTask<bool> Task => new(this, _core.Version);

    /// <summary>To be called before the reader looks whether it must wait.</summary>
    public void Arm()
    {
        // A reader that found the last wait complete may get here before its Set has returned.
        SpinWait spin = default;
        while (Volatile.Read(ref _state) == Setting)
        {
            spin.SpinOnce();
        }

        _core.Reset();
        Interlocked.Exchange(ref _state, Armed);
    }

    /// <summary>Takes <see cref="Arm"/> back.</summary>
    /// <returns>False where a wake-up is on its way, which must then be awaited.</returns>
    public bool TryDisarm() => Interlocked.CompareExchange(ref _state, Idle, Armed) == Armed;

    /// <summary>Wakes the reader if it waits. To be called after what it waits for was written.</summary>
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
