namespace MoeOffload;

/// <summary>Makes tokens that occurred lately less probable.</summary>
public sealed record PenaltiesSampler : Sampler
{
    /// <summary>How many of the last tokens count, 0 to 1048576; 0 is none. llama.cpp's default is 64.</summary>
    public int LastTokens { get; init; } = 64;

    /// <summary>What a token's positive logit is divided by, and its negative one multiplied, if it occurred: 0.01 to 100; 1 is off.</summary>
    public float Repeat { get; init; } = 1;

    /// <summary>What is taken from a token's logit for each time it occurred, -100 to 100; 0 is off.</summary>
    public float Frequency { get; init; }

    /// <summary>What is taken from a token's logit if it occurred, -100 to 100; 0 is off.</summary>
    public float Presence { get; init; }

    /// <inheritdoc/>
    public override string Name => "penalties";

    internal override bool DoesNothing => LastTokens == 0 || (Repeat == 1 && Frequency == 0 && Presence == 0);

    internal override void Validate()
    {
        OptionRange.Check(LastTokens, 0, MaxHistory, "Penalties.LastTokens", "how many of the last tokens count, 0 for none");
        OptionRange.Check(Repeat, 0.01f, 100, "Penalties.Repeat", "a factor, 1 for no penalty");
        OptionRange.Check(Frequency, -100, 100, "Penalties.Frequency", "an amount per occurrence, 0 for no penalty");
        OptionRange.Check(Presence, -100, 100, "Penalties.Presence", "an amount, 0 for no penalty");
    }
}
