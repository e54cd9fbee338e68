using System.Globalization;

namespace MoeOffload.Inference.Processors;

/// <summary>Reads the processors of a machine from Linux's <c>/sys/devices</c>, and those that the process can use from <c>/proc/self/status</c>.</summary>
internal static class LinuxProcessors
{
    // Large and small cores of Arm differ by a factor of 2 or more. Large ones of different clock rates differ less.
    private const double FastShare = 2 / 3.0;

    /// <summary>Reads the processors, or returns an empty list if they are not described.</summary>
    /// <param name="root">The root of the file system.</param>
    public static IReadOnlyList<LogicalProcessor> Read(string root)
    {
        string devices = Path.Combine(root, "sys", "devices");
        string directory = Path.Combine(devices, "system", "cpu");
        if (!Directory.Exists(directory))
        {
            return [];
        }

        HashSet<int>? allowed = ReadAllowed(Path.Combine(root, "proc", "self", "status"));
        Dictionary<int, string> cores = [];
        foreach (string processor in Directory.EnumerateDirectories(directory, "cpu*"))
        {
            if (int.TryParse(Path.GetFileName(processor).AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                && allowed?.Contains(index) != false
                && SystemFile.Read(Path.Combine(processor, "topology", "thread_siblings_list")) is { } siblings)
            {
                cores.Add(index, siblings);
            }
        }

        HashSet<int> slow = FindSlow(devices, directory, cores.Keys);
        return [.. cores.OrderBy(static core => core.Key).Select(core => new LogicalProcessor(core.Key, core.Value, IsFast: !slow.Contains(core.Key)))];
    }

    private static HashSet<int>? ReadAllowed(string path)
    {
        const string Name = "Cpus_allowed_list:";
        string? line = SystemFile.Read(path)?.Split('\n').FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
        return line is null ? null : ProcessorList.Parse(line[Name.Length..]);
    }

    private static HashSet<int> FindSlow(string devices, string directory, IReadOnlyCollection<int> processors)
    {
        // Intel's hybrid processors are two devices.
        if (SystemFile.Read(Path.Combine(devices, "cpu_core", "cpus")) is not null
            && SystemFile.Read(Path.Combine(devices, "cpu_atom", "cpus")) is { } slow)
        {
            return ProcessorList.Parse(slow);
        }

        Dictionary<int, double> capacities = [];
        foreach (int processor in processors)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"cpu{processor}");
            if (!double.TryParse(
                SystemFile.Read(Path.Combine(directory, name, "cpu_capacity")), NumberStyles.None, CultureInfo.InvariantCulture, out double capacity))
            {
                return [];
            }

            capacities.Add(processor, capacity);
        }

        double least = capacities.Count == 0 ? 0 : FastShare * capacities.Values.Max();
        return [.. capacities.Where(capacity => capacity.Value < least).Select(static capacity => capacity.Key)];
    }
}
