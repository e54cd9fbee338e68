namespace MoeOffload.Measurement.Replay;

/// <summary>Represents what a replay of a trace calculates.</summary>
internal sealed record ReplayOptions
{
    /// <summary>Gets the sizes of the caches in bytes, or an empty list for parts of the size of all experts.</summary>
    public IReadOnlyList<long> Budgets { get; init; } = [];

    /// <summary>Gets how fast missing experts are moved, in bytes per second, or <see langword="null"/> if it is not known.</summary>
    public double? ReadSpeed { get; init; }

    /// <summary>Gets how fast experts are read from memory, in bytes per second, or <see langword="null"/> to leave this out.</summary>
    public double? MemorySpeed { get; init; }
}
