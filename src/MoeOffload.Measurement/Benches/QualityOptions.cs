namespace MoeOffload.Measurement.Benches;

/// <summary>What <see cref="QualityBench"/> measures.</summary>
internal sealed record QualityOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>The text of perplexity and logits.</summary>
    public string Text { get; init; } = QualityText.Default;

    /// <summary>Tokens of each window of the text.</summary>
    public int WindowTokens { get; init; } = 256;

    /// <summary>Most windows of the text that are computed.</summary>
    public int MaxWindows { get; init; } = 64;

    /// <summary>Most positions of which the whole distributions are compared.</summary>
    public int MaxPositions { get; init; } = 256;

    /// <summary>Tokens that are generated greedily after each prompt.</summary>
    public int GreedyTokens { get; init; } = 100;
}
