using System.Globalization;

namespace MoeOffload.Models;

/// <summary>Reads the memory limits of the process's control groups, of versions 1 and 2 (the Linux manual page <c>cgroups(7)</c>).</summary>
internal static class ControlGroups
{
    private static readonly Files s_version1 = new("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
    private static readonly Files s_version2 = new("memory.max", "memory.current", "inactive_file");

    /// <summary>Gets the bytes that the tightest group leaves, of the process's own and all above it; null if none has a limit.</summary>
    /// <param name="root">The directory that holds <c>proc</c> and the mounted control groups.</param>
    public static long? MemoryLeft(string root) => Least(root, MemoryLeft);

    /// <summary>Gets the limit of the tightest group in bytes, of the process's own and all above it; null if none has a limit.</summary>
    /// <param name="root">The directory that holds <c>proc</c> and the mounted control groups.</param>
    public static long? MemoryLimit(string root) => Least(root, static (directory, files) => ReadNumber(Path.Join(directory, files.Limit)));

    private static long? Least(string root, Func<string, Files, long?> read)
    {
        long? least = null;
        foreach ((string mount, string group, Files files) in Hierarchies(root))
        {
            string directory = group;
            while (true)
            {
                long? value = read(Path.Join(root, mount, directory), files);
                least = value < (least ?? long.MaxValue) ? value : least;
                if (directory.Length <= 1)
                {
                    break;
                }

                directory = directory[..Math.Max(1, directory.LastIndexOf('/'))];
            }
        }

        return least;
    }

    private static long? MemoryLeft(string directory, Files files)
    {
        // A limit of "max" is not a number; version 1 writes a number beyond any memory.
        if (ReadNumber(Path.Join(directory, files.Limit)) is not { } limit || ReadNumber(Path.Join(directory, files.Usage)) is not { } used)
        {
            return null;
        }

        long cache = HostMemory.ReadField(Path.Join(directory, "memory.stat"), files.Cache) ?? 0;
        return Math.Max(0, limit - used + cache);
    }

    // The mount point of the memory controller, and the process's group below it.
    private static IEnumerable<(string Mount, string Group, Files Files)> Hierarchies(string root)
    {
        string groups = Path.Join(root, "proc/self/cgroup");
        string mounts = Path.Join(root, "proc/self/mountinfo");
        if (!File.Exists(groups) || !File.Exists(mounts))
        {
            yield break;
        }

        string[] lines = File.ReadAllLines(mounts);
        foreach (string line in File.ReadLines(groups))
        {
            // The format is number:controllers:group.
            string[] parts = line.Split(':', 3);
            bool isVersion2 = parts.Length == 3 && parts[1].Length == 0;
            if (parts.Length < 3 || (!isVersion2 && !parts[1].Split(',').Contains("memory")))
            {
                continue;
            }

            foreach (string mount in lines)
            {
                if (Parse(mount, isVersion2) is var (mountRoot, point))
                {
                    yield return (point, Below(mountRoot, parts[2]), isVersion2 ? s_version2 : s_version1);
                }
            }
        }
    }

    // proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields, "-", type, source, super options.
    private static (string Root, string Point)? Parse(string line, bool isVersion2)
    {
        string[] halves = line.Split(" - ", 2);
        string[] fields = halves[0].Split(' ');
        string[] type = halves.Length == 2 ? halves[1].Split(' ') : [];
        if (fields.Length < 5 || type.Length < 3)
        {
            return null;
        }

        bool isWanted = isVersion2 ? type[0] == "cgroup2" : type[0] == "cgroup" && type[2].Split(',').Contains("memory");
        return isWanted ? (fields[3], fields[4]) : null;
    }

    // In a container, the mount can start at the container's own group, while /proc names the group relative to the host's root.
    private static string Below(string mountRoot, string group)
    {
        string prefix = mountRoot.TrimEnd('/');
        return group.StartsWith(prefix + "/", StringComparison.Ordinal) ? group[prefix.Length..] : "/";
    }

    private static long? ReadNumber(string path) =>
        File.Exists(path) && long.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out long value) ? value : null;

    private sealed record Files(string Limit, string Usage, string Cache);
}
