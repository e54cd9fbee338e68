using System.Diagnostics;

namespace MoeOffload.Inference.Running;

/// <summary>Tracks the steps that run at the same time, to determine which step an event affects. Instances are thread-safe.</summary>
internal sealed class StepRegistry
{
    // If several threads of a computation end, they end at about the same time. One that ends much later belongs to another computation.
    private static readonly TimeSpan s_aftermath = TimeSpan.FromSeconds(10);

    private int _running;
    private int _abandoned;
    private long _lossTimestamp = long.MinValue;

    /// <summary>Gets the registry of all steps in the process.</summary>
    public static StepRegistry Process { get; } = new();

    /// <summary>Gets the number of abandoned threads that are still in their native calls.</summary>
    public int AbandonedCount => Volatile.Read(ref _abandoned);

    /// <summary>
    /// Gets a value that indicates whether a thread of llama.cpp that ends now can belong only to the one running step. It can also belong
    /// to a step that was just abandoned because another one of its threads had ended.
    /// </summary>
    public bool IsOnlyOne
    {
        get
        {
            long loss = Interlocked.Read(ref _lossTimestamp);
            return Volatile.Read(ref _running) == 1 && (loss == long.MinValue || Stopwatch.GetElapsedTime(loss) > s_aftermath);
        }
    }

    /// <summary>Records that a step begins.</summary>
    public void OnBegun() => Interlocked.Increment(ref _running);

    /// <summary>Records that a step has ended.</summary>
    public void OnEnded() => Interlocked.Decrement(ref _running);

    /// <summary>Records that the thread of a step is abandoned.</summary>
    public void OnAbandoned()
    {
        Interlocked.Decrement(ref _running);
        Interlocked.Increment(ref _abandoned);
    }

    /// <summary>Records that an abandoned thread has returned from its native call.</summary>
    public void OnCameBack() => Interlocked.Decrement(ref _abandoned);

    /// <summary>Records that a step hangs because one of its threads has ended.</summary>
    public void OnThreadLost() => Interlocked.Exchange(ref _lossTimestamp, Stopwatch.GetTimestamp());
}
