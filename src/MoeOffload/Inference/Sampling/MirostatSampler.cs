namespace MoeOffload;

/// <summary>
/// Represents the Mirostat sampler, which selects candidates so that the surprise of the text stays at a target
/// (https://arxiv.org/abs/2007.14966). It must be the last sampler of a chain, and only a temperature sampler can precede it.
/// </summary>
public sealed record MirostatSampler : Sampler
{
    /// <summary>Gets or sets the version of the algorithm, 1 or 2. The default is 2.</summary>
    public int Version { get; init; } = 2;

    /// <summary>Gets or sets the target surprise (tau) in bits, from 0 to 100. The default is 5.</summary>
    public float TargetEntropy { get; init; } = 5;

    /// <summary>Gets or sets the learning rate (eta), from 0 to 10. The default is 0.1.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>Gets or sets the number of candidates that version 1 uses for its estimate, which must be at least 2. The default is 100.</summary>
    public int EstimateTokens { get; init; } = 100;

    /// <summary>Gets or sets the seed of the random number generator, or <see langword="null"/> to use <see cref="SamplingOptions.Seed"/>.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => Version == 1 ? "mirostat" : "mirostat-v2";

    internal override bool Selects => true;

    internal override void Validate()
    {
        OptionRange.Check(Version, 1, 2, "Mirostat.Version", "the version of the algorithm; to disable the sampler, set Mirostat to null");
        OptionRange.Check(TargetEntropy, 0, 100, "Mirostat.TargetEntropy", "the target surprise in bits, 5 by default");
        OptionRange.Check(LearningRate, 0, 10, "Mirostat.LearningRate", "the learning rate, 0.1 by default");
        OptionRange.Check(EstimateTokens, 2, int.MaxValue, "Mirostat.EstimateTokens", "the number of candidates to estimate from, 100 by default");
        CheckSeed(Seed, "Mirostat.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
