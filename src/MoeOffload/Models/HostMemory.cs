using System.Globalization;

namespace MoeOffload.Models;

/// <summary>Gets the size of system memory, and how much of it is available to the process.</summary>
internal static class HostMemory
{
    private const string Control = "/sys/fs/cgroup";

    /// <summary>Gets the size of system memory, in bytes, or the limit of the container if that is lower.</summary>
    public static long Total() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Gets the system memory that is free or can be freed without swapping, in bytes, within the limit of the container.</summary>
    public static long Available()
    {
        if (!OperatingSystem.IsLinux())
        {
            GCMemoryInfo memory = GC.GetGCMemoryInfo();
            return memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
        }

        long free = ReadField("/proc/meminfo", "MemAvailable:") is { } kibibytes ? kibibytes * 1024 : long.MaxValue;
        if (ReadNumber(Path.Combine(Control, "memory.max")) is not { } limit || ReadNumber(Path.Combine(Control, "memory.current")) is not { } used)
        {
            return free;
        }

        long cache = ReadField(Path.Combine(Control, "memory.stat"), "inactive_file") ?? 0;
        return Math.Min(free, Math.Max(0, limit - used + cache));
    }

    // "max" is not a number: there is no limit.
    private static long? ReadNumber(string path) =>
        File.Exists(path) && long.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out long value) ? value : null;

    private static long? ReadField(string path, string name)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        foreach (string line in File.ReadLines(path))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && words[0] == name && long.TryParse(words[1], CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }
        }

        return null;
    }
}
