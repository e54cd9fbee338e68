using System.Diagnostics;

namespace MoeOffload.Inference.Running;

/// <summary>Tracks whether a thread is in a step, so that other threads can detect that it hangs.</summary>
/// <param name="registry">The registry of all steps.</param>
internal sealed class StepState(StepRegistry registry)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private long _number;
    private long _startTimestamp;
    private long _longestTicks;
    private bool _isRunning;
    private bool _isAbandoned;

    /// <summary>Gets the number of the current step, or null if none is running.</summary>
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

    /// <summary>Gets the registry of all steps.</summary>
    public StepRegistry Registry => registry;

    /// <summary>Gets the duration of the longest completed step.</summary>
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
    /// <returns><see langword="false"/> if the thread was abandoned and no longer owns anything; otherwise, <see langword="true"/>.</returns>
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

    /// <summary>Abandons the thread permanently if it is still in the specified step.</summary>
    /// <param name="number">The number of the step, from <see cref="Current"/>.</param>
    /// <returns><see langword="true"/> if this call abandoned the thread.</returns>
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
    /// <param name="number">The number of the step, from <see cref="Current"/>.</param>
    /// <param name="limit">The maximum time to wait.</param>
    /// <returns><see langword="true"/> if the step is still running after that time.</returns>
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
