namespace MoeOffload;

/// <summary>
/// Represents the adaptive-p sampler, which selects candidates near a target probability that adapts to earlier selections
/// (https://github.com/ggml-org/llama.cpp/pull/17927). It must be the last sampler of a chain. It works best directly after min-p.
/// </summary>
/// <param name="Target">The target probability, from 0 to 1.</param>
public sealed record AdaptivePSampler(float Target) : Sampler
{
    /// <summary>Gets or sets the decay of the history, from 0 to 0.99. The history covers about 1 / (1 - decay) tokens. The default is 0.9.</summary>
    public float Decay { get; init; } = 0.9f;

    /// <summary>Gets or sets the seed of the random number generator, or <see langword="null"/> to use <see cref="SamplingOptions.Seed"/>.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "adaptive-p";

    internal override bool Selects => true;

    internal override void Validate()
    {
        OptionRange.Check(Target, 0, 1, "AdaptiveP.Target", "the target probability; to disable the sampler, set AdaptiveP to null");
        OptionRange.Check(Decay, 0, 0.99f, "AdaptiveP.Decay", "the decay of the history, 0.9 by default");
        CheckSeed(Seed, "AdaptiveP.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
