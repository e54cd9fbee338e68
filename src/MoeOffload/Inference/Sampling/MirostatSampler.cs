namespace MoeOffload;

/// <summary>
/// Mirostat: selects a candidate so that the text's surprise stays at a target (https://arxiv.org/abs/2007.14966).
/// It must be the last of a chain, after nothing but the temperature.
/// </summary>
public sealed record MirostatSampler : Sampler
{
    /// <summary>Which of its versions, 1 or 2.</summary>
    public int Version { get; init; } = 2;

    /// <summary>The target surprise (tau) in bits, 0 to 100.</summary>
    public float TargetEntropy { get; init; } = 5;

    /// <summary>How fast it adapts (eta), 0 to 10.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>How many candidates version 1 estimates from, at least 2.</summary>
    public int EstimateTokens { get; init; } = 100;

    /// <summary>The random numbers' seed; <see langword="null"/> for that of the options, or a random one.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => Version == 1 ? "mirostat" : "mirostat-v2";

    internal override bool Selects => true;

    internal override void Validate()
    {
        OptionRange.Check(Version, 1, 2, "Mirostat.Version", "there are two; for none, leave Mirostat null");
        OptionRange.Check(TargetEntropy, 0, 100, "Mirostat.TargetEntropy", "the target surprise in bits, 5 by default");
        OptionRange.Check(LearningRate, 0, 10, "Mirostat.LearningRate", "how fast it adapts, 0.1 by default");
        OptionRange.Check(EstimateTokens, 2, int.MaxValue, "Mirostat.EstimateTokens", "how many candidates to estimate from, 100 by default");
        CheckSeed(Seed, "Mirostat.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
