namespace MoeOffload.Inference;

/// <summary>Counts the physical cores that this process may use.</summary>
internal static class PhysicalCores
{
    private static readonly Lazy<int> s_count = new(() => Measure("/sys/devices/system/cpu", Environment.ProcessorCount));

    /// <summary>At least 1; as many as logical processors where the system does not tell them apart.</summary>
    public static int Count => s_count.Value;

    /// <summary>Counts cores by the sibling lists of Linux's CPU topology, within what affinity and CPU quota leave.</summary>
    /// <param name="root">The folder that holds <c>cpu0</c>, <c>cpu1</c> ….</param>
    /// <param name="usable">Logical processors that the process may use.</param>
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

        // With part of the machine, assume that it comes in whole cores.
        int threadsPerCore = Math.Max(1, logical / cores.Count);
        return Math.Clamp((usable + threadsPerCore - 1) / threadsPerCore, 1, cores.Count);
    }
}
