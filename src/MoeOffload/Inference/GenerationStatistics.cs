namespace MoeOffload;

/// <summary>What a generation cost. All counts are of the model's own tokens, all times are measured.</summary>
public sealed record GenerationStatistics
{
    /// <summary>Tokens of the prompt, with the special ones that the model adds.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the prompt that the prefix cache held, and that were not computed for this generation.</summary>
    public required int CachedPromptTokens { get; init; }

    /// <summary>From the start of the request to its place in the session; the preparation of its input is part of it.</summary>
    public required TimeSpan QueueTime { get; init; }

    /// <summary>Tokens that were sampled, an end-of-generation token included.</summary>
    public required int GeneratedTokens { get; init; }

    /// <summary>Tokens that were guessed and computed ahead; see <see cref="SpeculationOptions"/>.</summary>
    public required int DraftedTokens { get; init; }

    /// <summary>Guessed tokens that were right, and saved a step each.</summary>
    public required int AcceptedTokens { get; init; }

    /// <summary>From the start of the request to its first sampled token; zero where there was none.</summary>
    public required TimeSpan TimeToFirstToken { get; init; }

    /// <summary>From the first sampled token to the last.</summary>
    public required TimeSpan DecodeTime { get; init; }

    /// <summary>Tokens a second after the first one; 0 with fewer than two tokens.</summary>
    public double TokensPerSecond => GeneratedTokens > 1 && DecodeTime > TimeSpan.Zero ? (GeneratedTokens - 1) / DecodeTime.TotalSeconds : 0;

    /// <summary>Returns what a request has cost that ended before its input was prepared.</summary>
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
