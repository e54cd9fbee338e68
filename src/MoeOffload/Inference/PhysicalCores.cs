namespace MoeOffload.Inference;

/// <summary>Counts the physical cores that the process can use.</summary>
internal static class PhysicalCores
{
    private static readonly Lazy<int> s_count = new(() => Measure("/sys/devices/system/cpu", Environment.ProcessorCount));

    /// <summary>
    /// Gets the number of physical cores, which is at least 1. If the system does not distinguish them, it is the number of logical
    /// processors.
    /// </summary>
    public static int Count => s_count.Value;

    /// <summary>Counts cores by the sibling lists in Linux's CPU topology, limited by the affinity and the CPU quota.</summary>
    /// <param name="root">The directory that contains <c>cpu0</c>, <c>cpu1</c> and so on.</param>
    /// <param name="usable">The number of logical processors that the process can use.</param>
    internal static int Measure(string root, int usable)
    {
        if (!Directory.Exists(root))
        {
            return usable;
        }

        HashSet<string> cores = new(StringComparer.Ordinal);
        int logical = 0;
        foreach (string directory in Directory.EnumerateDirectories(root, "cpu*"))
        {
            string siblings = Path.Combine(directory, "topology", "thread_siblings_list");
            if (!char.IsAsciiDigit(directory[^1]) || !File.Exists(siblings))
            {
                continue;
            }

            cores.Add(File.ReadAllText(siblings).Trim());
            logical++;
        }

        if (logical == 0)
        {
            return usable;
        }

        // If only a part of the machine is available, assume that it consists of whole cores.
        int threadsPerCore = Math.Max(1, logical / cores.Count);
        return Math.Clamp((usable + threadsPerCore - 1) / threadsPerCore, 1, cores.Count);
    }
}
