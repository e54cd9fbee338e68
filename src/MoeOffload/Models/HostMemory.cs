using System.Globalization;

namespace MoeOffload.Models;

/// <summary>Tells how much system memory the process can still get.</summary>
internal static class HostMemory
{
    /// <summary>Gets the size of system memory in bytes, or the limit of the container if it is lower.</summary>
    public static long Total() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Gets the bytes that are free, or that can be freed without swapping, within the limits of the process's control groups.</summary>
    public static long Available()
    {
        if (OperatingSystem.IsLinux())
        {
            return Available("/");
        }

        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        if (OperatingSystem.IsWindows() && WindowsMemory.Available() is { } free)
        {
            return Math.Min(free, memory.TotalAvailableMemoryBytes);
        }

        // The load is that of the last garbage collection.
        return memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
    }

    /// <summary>Gets the bytes that a Linux system says are available.</summary>
    /// <param name="root">The directory that holds <c>proc</c> and the control groups' file systems.</param>
    internal static long Available(string root)
    {
        long free = ReadField(Path.Join(root, "proc/meminfo"), "MemAvailable:") is { } kibibytes ? kibibytes * 1024 : long.MaxValue;
        return Math.Min(free, ControlGroups.MemoryLeft(root) ?? long.MaxValue);
    }

    /// <summary>Reads the number behind a name at the start of a line, or returns null if there is none.</summary>
    internal static long? ReadField(string path, string name)
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
