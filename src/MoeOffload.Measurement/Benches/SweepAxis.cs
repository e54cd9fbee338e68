namespace MoeOffload.Measurement.Benches;

/// <summary>Defines the axes of a sweep, by their names in the field <c>axis</c> of its samples.</summary>
internal static class SweepAxis
{
    /// <summary>The number of layers, counted from the first one, whose experts are in system memory.</summary>
    public const string ExpertLayers = "expert_layers_on_cpu";

    /// <summary>The maximum number of tokens that are computed at once.</summary>
    public const string MicroBatch = "micro_batch";

    /// <summary>The number of CPU threads.</summary>
    public const string Threads = "threads";

    /// <summary>The number of tokens before the prompt.</summary>
    public const string Depth = "depth";

    /// <summary>Whether the file is mapped: 1 if it is; 0 if the weights are read into memory, which is pinned if a GPU needs it.</summary>
    public const string HostMemory = "host_memory";

    public static IReadOnlyList<string> All { get; } = [ExpertLayers, MicroBatch, Threads, Depth, HostMemory];
}
