using System.Buffers.Text;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MoeOffload.Native;

/// <summary>Reads processor times from the operating system: from <c>/proc/stat</c> on Linux (proc(5)), and with <c>GetSystemTimes</c> on Windows.</summary>
internal static class SystemProcessorTimes
{
    // Linux counts in USER_HZ, which is 100 on all architectures of .NET.
    private const long TicksPerJiffy = TimeSpan.TicksPerSecond / 100;

    private static readonly Lazy<SafeFileHandle?> s_stat = new(OpenStat);

    /// <summary>Reads the times, or returns null if the operating system does not tell them. The method does not allocate.</summary>
    public static ProcessorTimes? Read() =>
        ReadIdle() is { } idle ? new ProcessorTimes(idle, Environment.CpuUsage.TotalTime) : null;

    /// <summary>Returns the idle time in the first line of <c>/proc/stat</c>, or null if it is not such a line.</summary>
    /// <param name="line">The line, which can be followed by others.</param>
    internal static TimeSpan? ParseIdle(ReadOnlySpan<byte> line)
    {
        // cpu, then the times in user mode, with low priority, in system mode, idle, and waiting for input or output.
        if (!line.StartsWith("cpu "u8))
        {
            return null;
        }

        line = line[4..];
        long idle = 0;
        for (int field = 1; field <= 5; field++)
        {
            line = line.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(line, out long value, out int length))
            {
                return null;
            }

            line = line[length..];
            idle += field >= 4 ? value : 0;
        }

        return new TimeSpan(idle * TicksPerJiffy);
    }

    private static TimeSpan? ReadIdle()
    {
        if (OperatingSystem.IsWindows())
        {
            return ReadIdleOfWindows();
        }

        if (s_stat.Value is not { } stat)
        {
            return null;
        }

        Span<byte> start = stackalloc byte[256];
        try
        {
            return ParseIdle(start[..RandomAccess.Read(stat, start, 0)]);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static unsafe TimeSpan? ReadIdleOfWindows()
    {
        long idle;
        return GetSystemTimes(&idle, null, null) != 0 ? new TimeSpan(idle) : null;
    }

    private static SafeFileHandle? OpenStat()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.OpenHandle("/proc/stat") : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("kernel32")]
    private static extern unsafe int GetSystemTimes(long* idleTime, long* kernelTime, long* userTime);
}
