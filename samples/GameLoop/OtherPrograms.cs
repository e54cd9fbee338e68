using System.Globalization;

namespace GameLoop;

/// <summary>Measures how many cores other programs use.</summary>
internal sealed class OtherPrograms
{
    private const double IdleCores = 0.1;

    private readonly long _start = Environment.TickCount64;
    private readonly TimeSpan? _busyBefore = ReadBusy();
    private readonly TimeSpan _ownBefore = Environment.CpuUsage.TotalTime;

    /// <summary>Prints how many cores other programs have used since the instance was created.</summary>
    /// <returns><see langword="true"/> if the machine is idle apart from this program, or if that is not known.</returns>
    public bool Report()
    {
        if (_busyBefore is not { } before || ReadBusy() is not { } busy)
        {
            Console.WriteLine("other programs: not known on this system");
            return true;
        }

        TimeSpan own = Environment.CpuUsage.TotalTime - _ownBefore;
        double cores = Math.Max(0, (busy - before - own).TotalMilliseconds) / Math.Max(1, Environment.TickCount64 - _start);
        bool isIdle = cores < IdleCores;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"other programs: {cores:0.00} of {Environment.ProcessorCount} cores{(isIdle ? string.Empty : ", so frames can be late because of them")}"));
        return isIdle;
    }

    // The first line of /proc/stat, in 1/100 s: user, nice, system, idle, waiting for input or output, interrupts and stolen time.
    private static TimeSpan? ReadBusy()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        long[] times = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(8).Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
        return times.Sum() is > 0 and var all ? TimeSpan.FromMilliseconds(10 * (all - times[3] - times[4])) : null;
    }
}
