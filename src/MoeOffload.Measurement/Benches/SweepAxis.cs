namespace MoeOffload.Measurement.Benches;

/// <summary>What a sweep changes, as the field <c>axis</c> of its samples names it.</summary>
internal static class SweepAxis
{
    /// <summary>The first so many layers have their experts in system memory.</summary>
    public const string ExpertLayers = "expert_layers_on_cpu";

    /// <summary>Most tokens that are computed at once.</summary>
    public const string MicroBatch = "micro_batch";

    /// <summary>CPU threads.</summary>
    public const string Threads = "threads";

    /// <summary>Tokens before the prompt.</summary>
    public const string Depth = "depth";

    /// <summary>1: the file is mapped; 0: weights are read into memory, pinned where a GPU wants it.</summary>
    public const string HostMemory = "host_memory";

    public static IReadOnlyList<string> All { get; } = [ExpertLayers, MicroBatch, Threads, Depth, HostMemory];
}
