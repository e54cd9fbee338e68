namespace MoeOffload.Measurement.Benches;

/// <summary>Represents what <see cref="QualityBench"/> measures.</summary>
internal sealed record QualityOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>Gets the text for perplexity and logits.</summary>
    public string Text { get; init; } = QualityText.Default;

    /// <summary>Gets the number of tokens in each window of the text.</summary>
    public int WindowTokens { get; init; } = 256;

    /// <summary>Gets the maximum number of windows.</summary>
    public int MaxWindows { get; init; } = 64;

    /// <summary>Gets the maximum number of positions whose distributions are compared.</summary>
    public int MaxPositions { get; init; } = 256;

    /// <summary>Gets the number of tokens that are generated greedily after each prompt.</summary>
    public int GreedyTokens { get; init; } = 100;
}
