using System.Globalization;

namespace MoeOffload.Inference.Processors;

/// <summary>Reads the CPU quota of the process's control group, which containers use, in version 1 or 2 (cgroups(7)).</summary>
internal static class CpuQuota
{
    /// <summary>Reads the quota, or returns null if the processor time is not limited.</summary>
    /// <param name="root">The root of the file system with Linux's <c>/proc</c> and the mounted control groups.</param>
    /// <returns>The processor time per time: 1.5 means 150 ms in 100 ms.</returns>
    public static double? Read(string root)
    {
        string[] groups = Lines(Path.Combine(root, "proc", "self", "cgroup"));
        string[] mounts = Lines(Path.Combine(root, "proc", "self", "mountinfo"));
        double? quota = null;
        foreach (string[] fields in groups.Select(static line => line.Split(':', 3)).Where(static fields => fields.Length == 3))
        {
            bool isUnified = fields[1].Length == 0;
            if ((isUnified || fields[1].Split(',').Contains("cpu", StringComparer.Ordinal)) && FindMount(mounts, isUnified) is var (mount, mountRoot))
            {
                quota = Least(quota, ReadPath(root + mount, Relative(fields[2], mountRoot), isUnified));
            }
        }

        return quota;
    }

    private static string[] Lines(string path) => SystemFile.Read(path)?.Split('\n') ?? [];

    private static double? Least(double? one, double? other) => one < other || other is null ? one : other;

    // A line of mountinfo: identifiers, the root of the mount in its file system, the mount point, options, " - ", the type, the source, and
    // the options of the file system, which contain the controllers.
    private static (string Mount, string Root)? FindMount(string[] mounts, bool isUnified)
    {
        foreach (string line in mounts)
        {
            string[] halves = line.Split(" - ", 2);
            string[] left = halves[0].Split(' ');
            string[] right = halves[^1].Split(' ');
            if (halves.Length == 2 && left.Length >= 5 && right.Length >= 3
                && (isUnified ? right[0] == "cgroup2" : right[0] == "cgroup" && right[2].Split(',').Contains("cpu", StringComparer.Ordinal)))
            {
                return (left[4], left[3]);
            }
        }

        return null;
    }

    // A container can see the host's path of its group, although only the group itself is mounted.
    private static string Relative(string group, string mountRoot)
    {
        string path = mountRoot != "/" && group.StartsWith(mountRoot, StringComparison.Ordinal) ? group[mountRoot.Length..] : group;
        return path.Contains("..", StringComparison.Ordinal) ? string.Empty : path.Trim('/');
    }

    // The quota of each enclosing group applies too.
    private static double? ReadPath(string mount, string group, bool isUnified)
    {
        double? quota = ReadGroup(mount, isUnified);
        string path = mount;
        foreach (string name in group.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Path.Combine(path, name);
            quota = Least(quota, ReadGroup(path, isUnified));
        }

        return quota;
    }

    private static double? ReadGroup(string path, bool isUnified)
    {
        if (isUnified)
        {
            string[]? fields = SystemFile.Read(Path.Combine(path, "cpu.max"))?.Split(' ');
            return fields is [var quota, var period] ? Divide(quota, period) : null;
        }

        return Divide(SystemFile.Read(Path.Combine(path, "cpu.cfs_quota_us")), SystemFile.Read(Path.Combine(path, "cpu.cfs_period_us")));
    }

    // Without a limit, the quota is "max" in version 2, and -1 in version 1.
    private static double? Divide(string? quota, string? period) =>
        long.TryParse(quota, NumberStyles.None, CultureInfo.InvariantCulture, out long time)
            && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            && length > 0
                ? time / (double)length
                : null;
}
