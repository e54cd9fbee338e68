namespace MoeOffload;

/// <summary>
/// Represents the XTC ("exclude top choices") sampler. At random, it removes all candidates above a threshold except the least probable of
/// them (https://github.com/oobabooga/text-generation-webui/pull/6335).
/// </summary>
public sealed record XtcSampler : Sampler
{
    /// <summary>Gets or sets the probability that the sampler acts on a token, from 0 to 1. The default is 0, which disables the sampler.</summary>
    public float Probability { get; init; }

    /// <summary>
    /// Gets or sets the minimum probability of a top choice, from 0 to 1. If the value is greater than 0.5, the sampler never acts. The
    /// default is 0.1.
    /// </summary>
    public float Threshold { get; init; } = 0.1f;

    /// <summary>Gets or sets the minimum number of candidates that must remain for the sampler to act.</summary>
    public int MinKeep { get; init; }

    /// <summary>Gets or sets the seed of the random number generator, or <see langword="null"/> to use <see cref="SamplingOptions.Seed"/>.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "xtc";

    internal override bool DoesNothing => Probability == 0 || Threshold > 0.5f;

    internal override void Validate()
    {
        OptionRange.Check(Probability, 0, 1, "Xtc.Probability", "the probability that top choices are excluded, 0 for never");
        OptionRange.Check(Threshold, 0, 1, "Xtc.Threshold", "the minimum probability of a top choice; above 0.5, there is none");
        CheckMinKeep(MinKeep);
        CheckSeed(Seed, "Xtc.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
