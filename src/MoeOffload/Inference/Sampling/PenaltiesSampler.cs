namespace MoeOffload;

/// <summary>Represents a sampler that penalizes tokens that occurred recently.</summary>
public sealed record PenaltiesSampler : Sampler
{
    /// <summary>
    /// Gets or sets the number of most recent tokens to consider, from 0 to 1048576. The default is 64, as in llama.cpp. If the value is 0,
    /// the sampler is disabled.
    /// </summary>
    public int LastTokens { get; init; } = 64;

    /// <summary>
    /// Gets or sets the repetition penalty, from 0.01 to 100. The logit of a token that occurred is divided by this value if it is
    /// positive, and multiplied by it if it is negative. The default is 1, which means no penalty.
    /// </summary>
    public float Repeat { get; init; } = 1;

    /// <summary>
    /// Gets or sets the frequency penalty, from -100 to 100, which is subtracted from a token's logit for each of its occurrences. The
    /// default is 0, which means no penalty.
    /// </summary>
    public float Frequency { get; init; }

    /// <summary>
    /// Gets or sets the presence penalty, from -100 to 100, which is subtracted from a token's logit if the token occurred. The default is
    /// 0, which means no penalty.
    /// </summary>
    public float Presence { get; init; }

    /// <inheritdoc/>
    public override string Name => "penalties";

    internal override bool DoesNothing => LastTokens == 0 || (Repeat == 1 && Frequency == 0 && Presence == 0);

    internal override void Validate()
    {
        OptionRange.Check(LastTokens, 0, MaxHistory, "Penalties.LastTokens", "the number of most recent tokens to consider, 0 for none");
        OptionRange.Check(Repeat, 0.01f, 100, "Penalties.Repeat", "a factor, 1 for no penalty");
        OptionRange.Check(Frequency, -100, 100, "Penalties.Frequency", "an amount per occurrence, 0 for no penalty");
        OptionRange.Check(Presence, -100, 100, "Penalties.Presence", "an amount, 0 for no penalty");
    }
}
