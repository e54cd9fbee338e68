using System.Diagnostics;

namespace MoeOffload.Inference.Running;

/// <summary>Whether a thread is inside a step, told by the thread, and asked by those who must know whether it hangs there.</summary>
/// <param name="registry">Where it counts.</param>
internal sealed class StepState(StepRegistry registry)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private long _number;
    private long _startTimestamp;
    private long _longestTicks;
    private bool _isRunning;
    private bool _isAbandoned;

    /// <summary>Gets the number of the step that runs; null if none does.</summary>
    public long? Current
    {
        get
        {
            lock (_gate)
            {
                return _isRunning ? _number : null;
            }
        }
    }

    /// <summary>Gets where it counts.</summary>
    public StepRegistry Registry => registry;

    /// <summary>Gets how long the longest step has taken that has ended.</summary>
    public TimeSpan Longest
    {
        get
        {
            lock (_gate)
            {
                return TimeSpan.FromSeconds(_longestTicks / (double)Stopwatch.Frequency);
            }
        }
    }

    /// <summary>Begins a step.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            if (!_isRunning && !_isAbandoned)
            {
                _number++;
                _startTimestamp = Stopwatch.GetTimestamp();
                _isRunning = true;
                registry.OnBegun();
            }
        }
    }

    /// <summary>Ends the step, if one has begun.</summary>
    /// <returns>False if the thread was abandoned meanwhile: nothing is its own any more.</returns>
    public bool End()
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                _isRunning = false;
                _longestTicks = Math.Max(_longestTicks, Stopwatch.GetTimestamp() - _startTimestamp);
                registry.OnEnded();
            }
            else if (_isAbandoned)
            {
                registry.OnCameBack();
            }

            return !_isAbandoned;
        }
    }

    /// <summary>Abandons the thread, if it is still inside a step. It stays abandoned.</summary>
    /// <param name="number">The step, from <see cref="Current"/>.</param>
    /// <returns>Whether this call has abandoned it.</returns>
    public bool TryAbandon(long number)
    {
        lock (_gate)
        {
            if (!_isRunning || _number != number)
            {
                return false;
            }

            _isRunning = false;
            _isAbandoned = true;
            registry.OnAbandoned();
            return true;
        }
    }

    /// <summary>Waits for a step to end.</summary>
    /// <param name="number">The step, from <see cref="Current"/>.</param>
    /// <param name="limit">How long to wait.</param>
    /// <returns>Whether it still runs after all that time.</returns>
    public async Task<bool> OutlastsAsync(long number, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (Current == number && Stopwatch.GetElapsedTime(start) < limit)
        {
            await Task.Delay(s_poll).ConfigureAwait(false);
        }

        return Current == number;
    }
}
