using System.Diagnostics;

namespace MoeOffload.Inference;

/// <summary>
/// Whether the scheduler's thread is inside a step, told by the thread, and asked by those who must know whether it hangs there.
/// </summary>
internal sealed class StepState
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    private static int s_running;

    private readonly Lock _gate = new();
    private long _number;
    private bool _isRunning;
    private bool _isAbandoned;

    /// <summary>Steps that run now in the whole process.</summary>
    public static int Running => Volatile.Read(ref s_running);

    /// <summary>Whether a step runs.</summary>
    public bool IsRunning => Current is not null;

    private long? Current
    {
        get
        {
            lock (_gate)
            {
                return _isRunning ? _number : null;
            }
        }
    }

    /// <summary>A step begins, if it has not yet.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            if (!_isRunning)
            {
                _number++;
                _isRunning = true;
                Interlocked.Increment(ref s_running);
            }
        }
    }

    /// <summary>The step ends, if one has begun.</summary>
    /// <returns>False where the thread was given up meanwhile: nothing is its own any more.</returns>
    public bool End()
    {
        lock (_gate)
        {
            Leave();
            return !_isAbandoned;
        }
    }

    /// <summary>Gives the thread up, if it is inside a step.</summary>
    public bool TryAbandon()
    {
        lock (_gate)
        {
            _isAbandoned = _isRunning;
            Leave();
            return _isAbandoned;
        }
    }

    /// <summary>Waits for the present step to end.</summary>
    /// <returns>Whether it still runs after all that time; false where there was none.</returns>
    public async Task<bool> IsStuckAsync(TimeSpan patience)
    {
        long start = Stopwatch.GetTimestamp();
        long? step = Current;
        while (step is not null && step == Current && Stopwatch.GetElapsedTime(start) < patience)
        {
            await Task.Delay(s_poll).ConfigureAwait(false);
        }

        return step is not null && step == Current;
    }

    private void Leave()
    {
        if (_isRunning)
        {
            _isRunning = false;
            Interlocked.Decrement(ref s_running);
        }
    }
}
