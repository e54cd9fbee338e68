namespace MoeOffload.Games;

/// <summary>Provides sampling options for kinds of characters. Change a copy: <c>SamplerPresets.Terse with { Seed = 7 }</c>.</summary>
public static class SamplerPresets
{
    /// <summary>
    /// Gets the options of a person who talks: temperature 0.8, min-p 0.05 instead of top-k and top-p, and a repetition penalty of 1.05 over 256 tokens.
    /// They are the default.
    /// </summary>
    public static SamplingOptions Conversational { get; } = new()
    {
        Temperature = 0.8f,
        TopK = 0,
        TopP = 1,
        MinP = 0.05f,
        Penalties = new PenaltiesSampler { LastTokens = 256, Repeat = 1.05f },
    };

    /// <summary>
    /// Gets the options of a person who says the obvious, and for games in which the same question should have the same kind of answer: temperature
    /// 0.3, top-k 20, top-p 0.9 and min-p 0.1.
    /// </summary>
    public static SamplingOptions Terse { get; } = new() { Temperature = 0.3f, TopK = 20, TopP = 0.9f, MinP = 0.1f };

    /// <summary>
    /// Gets the options of a person who tells long stories: temperature 1, min-p 0.02 instead of top-k and top-p, and DRY with the strength 0.8 over
    /// 1024 tokens, which avoids sentences that were already said.
    /// </summary>
    public static SamplingOptions Storyteller { get; } = new()
    {
        Temperature = 1,
        TopK = 0,
        TopP = 1,
        MinP = 0.02f,
        Dry = new DrySampler { Multiplier = 0.8f, LastTokens = 1024 },
    };
}
