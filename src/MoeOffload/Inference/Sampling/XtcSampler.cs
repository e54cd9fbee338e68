namespace MoeOffload;

/// <summary>
/// "Exclude top choices": by chance, drops all candidates above a probability but the least of them
/// (https://github.com/oobabooga/text-generation-webui/pull/6335).
/// </summary>
public sealed record XtcSampler : Sampler
{
    /// <summary>How often it acts, 0 to 1; 0, llama.cpp's default, is never.</summary>
    public float Probability { get; init; }

    /// <summary>The probability from which on a candidate is a top choice, 0 to 1; above 0.5 it never acts.</summary>
    public float Threshold { get; init; } = 0.1f;

    /// <summary>How many candidates must be left for it to act.</summary>
    public int MinKeep { get; init; }

    /// <summary>The random numbers' seed; <see langword="null"/> for that of the options, or a random one.</summary>
    public uint? Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "xtc";

    internal override bool DoesNothing => Probability == 0 || Threshold > 0.5f;

    internal override void Validate()
    {
        OptionRange.Check(Probability, 0, 1, "Xtc.Probability", "how often top choices are excluded, 0 for never");
        OptionRange.Check(Threshold, 0, 1, "Xtc.Threshold", "the probability of a top choice, above 0.5 for none");
        CheckMinKeep(MinKeep);
        CheckSeed(Seed, "Xtc.Seed");
    }

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
