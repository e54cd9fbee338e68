namespace MoeOffload.Measurement.Benches;

/// <summary>What <see cref="MemoryBench"/> measures.</summary>
internal sealed record MemoryOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>How often the model is loaded in each placement.</summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Tokens that are generated for the peak, after a prompt of a whole micro-batch.</summary>
    public int MaxTokens { get; init; } = 32;
}
