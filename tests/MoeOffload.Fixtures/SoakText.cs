namespace MoeOffload.Fixtures;

/// <summary>A prompt, and what it yields greedily when it runs alone.</summary>
internal sealed class SoakText
{
    private readonly GeneratedToken[] _tokens;

    private SoakText(int[] prompt, GeneratedToken[] tokens)
    {
        Prompt = prompt;
        _tokens = tokens;
    }

    /// <summary>The prompt.</summary>
    public int[] Prompt { get; }

    /// <summary>How many tokens are known.</summary>
    public int Length => _tokens.Length;

    /// <summary>Lets a prompt run alone.</summary>
    public static async Task<SoakText> MakeAsync(GenerationSession session, int[] prompt, int length)
    {
        var request = new GenerationRequest
        {
            PromptTokens = prompt,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 2, IgnoreEndOfSequence = true },
            MaxTokens = length,
        };
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in session.GenerateAsync(request))
        {
            tokens.Add(token);
        }

        return new SoakText(prompt, [.. tokens]);
    }

    /// <summary>
    /// How far rounding has moved the two best tokens of a position, one against the other, in another run of the same prompt alone. Batches
    /// of another shape round in another way, and where two experts are about equally good, another one may then be chosen.
    /// </summary>
    public float Movement(SoakText other)
    {
        float most = 0;
        for (int i = 0; i < Length && _tokens[i].Id == other._tokens[i].Id; i++)
        {
            most = Math.Max(most, Math.Abs(Lead(i) - other.Lead(i)));
        }

        return most;
    }

    /// <summary>Compares tokens of another run.</summary>
    /// <param name="tokens">The beginning of the text, or all of it.</param>
    /// <param name="rounding">How far rounding can move the two best tokens.</param>
    /// <param name="unclear">Where they part, what the choice was there.</param>
    /// <returns>Whether they are the same, or the second best token stands where rounding can have moved it past the best.</returns>
    public bool Matches(IReadOnlyList<int> tokens, float rounding, out string? unclear)
    {
        unclear = null;
        int at = 0;
        while (at < tokens.Count && at < Length && tokens[at] == _tokens[at].Id)
        {
            at++;
        }

        if (at == tokens.Count)
        {
            return true;
        }

        if (at >= Length)
        {
            return false;
        }

        IReadOnlyList<TokenProbability> top = _tokens[at].TopLogProbabilities;
        unclear = $"token {at}: {string.Join(", ", top)}";
        return Lead(at) <= rounding && tokens[at] == top[1].Token;
    }

    private float Lead(int at)
    {
        IReadOnlyList<TokenProbability> top = _tokens[at].TopLogProbabilities;
        return top[0].LogProbability - top[1].LogProbability;
    }
}
