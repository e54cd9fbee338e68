namespace MoeOffload.Measurement.Benches;

/// <summary>Represents what <see cref="MemoryBench"/> measures.</summary>
internal sealed record MemoryOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>Gets the number of loads in each placement.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Gets the number of tokens that are generated for the peak, after a prompt of a whole micro-batch.</summary>
    public int MaxTokens { get; init; } = 32;
}
