using System.Diagnostics;

namespace MoeOffload.Inference.Running;

/// <summary>The steps that run at once, for those who must know which of them something has happened to. Safe to use from several threads.</summary>
internal sealed class StepRegistry
{
    // When several threads of one computation end they do so together; much later ones are another's.
    private static readonly TimeSpan s_aftermath = TimeSpan.FromSeconds(10);

    private int _running;
    private int _abandoned;
    private long _lossTimestamp = long.MinValue;

    /// <summary>Gets that of all steps of the process.</summary>
    public static StepRegistry Process { get; } = new();

    /// <summary>Gets how many abandoned threads are still in their native calls.</summary>
    public int AbandonedCount => Volatile.Read(ref _abandoned);

    /// <summary>
    /// Gets whether a thread of llama.cpp's that ends now can only work for the one step that runs. It may also work for a step that was
    /// just abandoned since another one of its threads had ended.
    /// </summary>
    public bool IsOnlyOne
    {
        get
        {
            long loss = Interlocked.Read(ref _lossTimestamp);
            return Volatile.Read(ref _running) == 1 && (loss == long.MinValue || Stopwatch.GetElapsedTime(loss) > s_aftermath);
        }
    }

    /// <summary>A step begins.</summary>
    public void OnBegun() => Interlocked.Increment(ref _running);

    /// <summary>A step ends.</summary>
    public void OnEnded() => Interlocked.Decrement(ref _running);

    /// <summary>The thread of a step is abandoned.</summary>
    public void OnAbandoned()
    {
        Interlocked.Decrement(ref _running);
        Interlocked.Increment(ref _abandoned);
    }

    /// <summary>An abandoned thread has come back from its native call.</summary>
    public void OnCameBack() => Interlocked.Decrement(ref _abandoned);

    /// <summary>A step hangs since a thread that computed for it has ended.</summary>
    public void OnThreadLost() => Interlocked.Exchange(ref _lossTimestamp, Stopwatch.GetTimestamp());
}
