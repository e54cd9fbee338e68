namespace MoeOffload;

/// <summary>Represents the token counts and times of one generation.</summary>
public sealed record GenerationStatistics
{
    /// <summary>Gets the number of tokens in the prompt, including the special tokens that the model adds.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Gets the number of prompt tokens that were taken from the prefix cache instead of being computed.</summary>
    public required int CachedPromptTokens { get; init; }

    /// <summary>
    /// Gets the time from the start of the request until a sequence slot was assigned to it, including the time to prepare its input.
    /// </summary>
    public required TimeSpan QueueTime { get; init; }

    /// <summary>Gets the number of tokens that were sampled, including an end-of-generation token.</summary>
    public required int GeneratedTokens { get; init; }

    /// <summary>Gets the number of draft tokens that were evaluated. See <see cref="SpeculationOptions"/>.</summary>
    public required int DraftedTokens { get; init; }

    /// <summary>Gets the number of draft tokens that were accepted. Each one saved a decode step.</summary>
    public required int AcceptedTokens { get; init; }

    /// <summary>
    /// Gets the time from the start of the request to its first sampled token, or <see cref="TimeSpan.Zero"/> if no token was sampled.
    /// </summary>
    public required TimeSpan TimeToFirstToken { get; init; }

    /// <summary>Gets the time from the first sampled token to the last.</summary>
    public required TimeSpan DecodeTime { get; init; }

    /// <summary>Gets the number of tokens per second after the first token, or 0 if fewer than two tokens were generated.</summary>
    public double TokensPerSecond => GeneratedTokens > 1 && DecodeTime > TimeSpan.Zero ? (GeneratedTokens - 1) / DecodeTime.TotalSeconds : 0;

    /// <summary>Creates the statistics of a request that ended before its input was prepared.</summary>
    internal static GenerationStatistics OfWaiting(TimeSpan time) => new()
    {
        PromptTokens = 0,
        CachedPromptTokens = 0,
        QueueTime = time,
        GeneratedTokens = 0,
        DraftedTokens = 0,
        AcceptedTokens = 0,
        TimeToFirstToken = TimeSpan.Zero,
        DecodeTime = TimeSpan.Zero,
    };
}
