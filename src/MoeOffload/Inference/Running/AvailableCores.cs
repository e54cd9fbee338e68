using System.Diagnostics;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Measures how many of the machine's cores other programs leave to a computation.</summary>
/// <param name="readTimes">A function that returns the processor times of the machine and of this process, or null if they are not known.</param>
internal sealed class AvailableCores(Func<ProcessorTimes?> readTimes)
{
    // The times are counted in ticks of up to 16 ms.
    private static readonly long s_period = Stopwatch.Frequency / 5;
    private static readonly long s_firstPeriod = Stopwatch.Frequency / 20;

    // So much of a change is taken over with each measurement: a program that runs for a moment does not count as one that stays.
    private const double Weight = 0.6;

    private ProcessorTimes? _before;
    private long _beforeTimestamp;
    private long _computed;
    private long _lastStep;
    private double? _cores;
    private bool _isOutdated;

    /// <summary>Creates an instance that reads the times of the operating system.</summary>
    public AvailableCores()
        : this(SystemProcessorTimes.Read)
    {
    }

    /// <summary>Begins to measure.</summary>
    /// <param name="now">The current timestamp.</param>
    public void Begin(long now)
    {
        _before = readTimes();
        _beforeTimestamp = now;
        _lastStep = now;
    }

    /// <summary>Records a computation, which does not count as the work of other programs.</summary>
    /// <param name="duration">The duration, in timestamp ticks.</param>
    /// <param name="threads">The number of threads that computed.</param>
    public void OnComputed(long duration, int threads)
    {
        _computed += duration * threads;
        _lastStep += duration;
    }

    /// <summary>Measures before a step, if the last measurement is long enough ago.</summary>
    /// <param name="now">The current timestamp.</param>
    /// <returns>The number of cores, or null if there is no new measurement.</returns>
    public double? Measure(long now)
    {
        bool hasPaused = now - _lastStep >= s_period;
        _lastStep = now;
        long passed = now - _beforeTimestamp;
        if (_before is not { } before || passed < (_isOutdated ? s_firstPeriod : s_period) || readTimes() is not { } times)
        {
            return null;
        }

        double seconds = passed / (double)Stopwatch.Frequency;
        double own = (times.Process - before.Process).TotalSeconds;

        // Before the first computation, a process loads its model. Later, its other threads are as foreign as those of other programs.
        double computed = _cores is null ? own : Math.Min(own, _computed / (double)Stopwatch.Frequency);
        double cores = ((times.Idle - before.Idle).TotalSeconds + computed) / seconds;
        _cores = _cores is { } known && !_isOutdated ? known + (Weight * (cores - known)) : cores;

        // What used the cores during a pause might have ended, so the next measurement comes soon and counts in full.
        _isOutdated = hasPaused;
        _before = times;
        _beforeTimestamp = now;
        _computed = 0;
        return _cores;
    }
}
