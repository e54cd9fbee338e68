namespace MoeOffload;

/// <summary>
/// Adaptive-p: selects candidates near a target probability, which adapts to what was selected before
/// (https://github.com/ggml-org/llama.cpp/pull/17927). It must be the last of a chain, best after min-p alone.
/// </summary>
/// <param name="Target">The probability to select near, 0 to 1.</param>
public sealed record AdaptivePSampler(float Target) : Sampler
{
    /// <summary>How slowly it adapts, 0 to 0.99: the history is about 1 / (1 - decay) tokens.</summary>
    public float Decay { get; init; } = 0.9f;

    /// <summary>The random numbers' seed; <see langword="null"/> for that of the options, or a random one.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "adaptive-p";

    internal override bool Selects => true;

    internal override void Validate()
    {
        OptionRange.Check(Target, 0, 1, "AdaptiveP.Target", "the probability to select near; for off, leave AdaptiveP null");
        OptionRange.Check(Decay, 0, 0.99f, "AdaptiveP.Decay", "how slowly it adapts, 0.9 by default");
        CheckSeed(Seed, "AdaptiveP.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
