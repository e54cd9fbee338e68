using System.Runtime.InteropServices;

namespace MoeOffload.Tests;

/// <summary>Processor time of the thread that asks, which other work on the machine does not add to.</summary>
internal static unsafe partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    /// <summary>Gets the processor time of this thread, or zero if the system is not Linux.</summary>
    public static TimeSpan Now
    {
        get
        {
            long* time = stackalloc long[2];
            return OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, time) == 0
                ? TimeSpan.FromSeconds(time[0]) + TimeSpan.FromMicroseconds(time[1] / 1000)
                : TimeSpan.Zero;
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, long* time);
}
