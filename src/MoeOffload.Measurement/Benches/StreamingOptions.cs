namespace MoeOffload.Measurement.Benches;

/// <summary>What <see cref="StreamingBench"/> measures.</summary>
internal sealed record StreamingOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>How often each prompt is asked in each way.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Tokens of each answer.</summary>
    public int MaxTokens { get; init; } = 100;

    public float Temperature { get; init; } = 0.3f;
}
