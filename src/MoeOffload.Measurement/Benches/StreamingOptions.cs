namespace MoeOffload.Measurement.Benches;

/// <summary>Represents what <see cref="StreamingBench"/> measures.</summary>
internal sealed record StreamingOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>Gets the number of rounds, each of which sends every prompt in every way.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Gets the number of tokens in each answer.</summary>
    public int MaxTokens { get; init; } = 100;

    public float Temperature { get; init; } = 0.3f;
}
