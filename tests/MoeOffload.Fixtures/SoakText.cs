namespace MoeOffload.Fixtures;

/// <summary>A prompt, and what it yields greedily when it runs alone.</summary>
internal sealed class SoakText
{
    // Batches of another shape round in another way.
    private const float Unclear = 0.01f;

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

    /// <summary>Compares tokens of another run.</summary>
    /// <param name="tokens">The beginning of the text, or all of it.</param>
    /// <param name="unclear">Where they part without a fault, what the choice was there.</param>
    /// <returns>Whether they are the same, or part where the best two tokens were about equally likely.</returns>
    public bool Matches(IReadOnlyList<int> tokens, out string? unclear)
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
        return top[0].LogProbability - top[1].LogProbability < Unclear && tokens[at] == top[1].Token;
    }
}
