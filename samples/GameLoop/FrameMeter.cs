using System.Diagnostics;
using System.Globalization;

namespace GameLoop;

/// <summary>Measures the time and the managed memory that frames use on the game's thread.</summary>
internal sealed class FrameMeter(int frames)
{
    private readonly long[] _ticks = new long[frames];
    private int _count;
    private int _missed;
    private long _start;
    private long _bytesBefore;
    private long _bytes;
    private long _mostBytes;

    /// <summary>Begins to measure what a frame does with the library.</summary>
    public void Begin()
    {
        _bytesBefore = GC.GetAllocatedBytesForCurrentThread();
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>Ends what <see cref="Begin"/> began.</summary>
    public void End()
    {
        _ticks[_count++] = Stopwatch.GetTimestamp() - _start;
        long bytes = GC.GetAllocatedBytesForCurrentThread() - _bytesBefore;
        _bytes += bytes;
        _mostBytes = Math.Max(_mostBytes, bytes);
    }

    /// <summary>Counts a frame that was not ready in time.</summary>
    public void Miss() => _missed++;

    /// <summary>Prints the percentiles.</summary>
    /// <returns>
    /// <see langword="true"/> if each frame was ready in time, 99.9 % of them read in less than a millisecond, and none allocated; otherwise,
    /// <see langword="false"/>.
    /// </returns>
    public bool Report()
    {
        Array.Sort(_ticks, 0, _count);
        Line($"reading in a frame: median {At(0.5):0.0} µs, 99 % {At(0.99):0.0} µs, 99.9 % {At(0.999):0.0} µs, most {At(1):0.0} µs");
        Line($"frames that were not ready in time: {_missed} of {_count}");
        Line($"allocated on the game's thread: {_bytes} bytes in {_count} frames, {_mostBytes} at most in one");
        return _missed == 0 && At(0.999) < 1000 && _bytes == 0;
    }

    private double At(double share) => _ticks[Math.Max(0, (int)Math.Ceiling(share * _count) - 1)] * 1e6 / Stopwatch.Frequency;

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
