namespace MoeOffload.Inference.Processors;

/// <summary>Represents the physical cores to compute on, without the slow cores of a hybrid processor.</summary>
/// <param name="Count">The number of cores, which is at least 1.</param>
/// <param name="Processors">
/// The indexes of the logical processors of these cores if the machine is hybrid; otherwise, null, which means that threads run on all
/// processors.
/// </param>
internal sealed record PhysicalCores(int Count, IReadOnlyList<int>? Processors)
{
    private static readonly Lazy<PhysicalCores> s_current = new(() => Measure("/", Environment.ProcessorCount));

    /// <summary>Gets the cores that this process can use.</summary>
    public static PhysicalCores Current => s_current.Value;

    /// <summary>Finds the cores in the description of a machine.</summary>
    /// <param name="root">The root of the file system with Linux's <c>/sys</c> and <c>/proc</c>.</param>
    /// <param name="usable">The number of logical processors that the process can use.</param>
    internal static PhysicalCores Measure(string root, int usable)
    {
        IReadOnlyList<LogicalProcessor> processors = OperatingSystem.IsWindows() ? WindowsProcessors.Read() : LinuxProcessors.Read(root);
        return Select(processors, usable, CpuQuota.Read(root));
    }

    /// <summary>Selects the fast cores among the processors that a process can use.</summary>
    /// <param name="processors">The processors, or an empty list if the system does not describe them.</param>
    /// <param name="usable">The number of logical processors that the process can use.</param>
    /// <param name="quota">The processor time per time that the process can use, or null if it is not limited.</param>
    internal static PhysicalCores Select(IReadOnlyList<LogicalProcessor> processors, int usable, double? quota)
    {
        LogicalProcessor[] fast = [.. processors.Where(static processor => processor.IsFast)];
        if (fast.Length == 0)
        {
            fast = [.. processors];
        }

        int cores = fast.Length == 0 ? usable : fast.Select(static processor => processor.Core).Distinct().Count();

        // More threads than the quota has whole cores use it up before the end of its period. Then the system stops the whole process.
        int limit = Math.Min(usable, quota is { } time ? (int)Math.Min(time, int.MaxValue) : int.MaxValue);
        int count = Math.Clamp(cores, 1, Math.Max(1, limit));
        return new PhysicalCores(count, fast.Length < processors.Count ? [.. fast.Select(static processor => processor.Index)] : null);
    }
}
