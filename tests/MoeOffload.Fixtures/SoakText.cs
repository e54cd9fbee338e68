namespace MoeOffload.Fixtures;

/// <summary>
/// A prompt, and what it yields greedily when it runs alone, in batches of several shapes. Each shape rounds in another way; where two
/// experts are about equally good, that chooses another one, and moves all that follows by more than rounding.
/// </summary>
internal sealed class SoakText
{
    // How far apart the best two tokens are where rounding alone may choose between them; up to 0.055 was seen.
    private const float Rounding = 0.1f;

    private readonly GeneratedToken[][] _runs;

    private SoakText(int[] prompt, GeneratedToken[][] runs)
    {
        Prompt = prompt;
        _runs = runs;
    }

    /// <summary>The prompt.</summary>
    public int[] Prompt { get; }

    /// <summary>How many tokens are known.</summary>
    public int Length => _runs[0].Length;

    /// <summary>Lets a prompt run alone, in one session after the other.</summary>
    public static async Task<SoakText> MakeAsync(int[] prompt, int length, params GenerationSession[] sessions)
    {
        var request = new GenerationRequest
        {
            PromptTokens = prompt,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 2, IgnoreEndOfSequence = true },
            MaxTokens = length,
        };
        List<GeneratedToken[]> runs = [];
        foreach (GenerationSession session in sessions)
        {
            List<GeneratedToken> tokens = [];
            await foreach (GeneratedToken token in session.GenerateAsync(request))
            {
                tokens.Add(token);
            }

            runs.Add([.. tokens]);
        }

        return new SoakText(prompt, [.. runs]);
    }

    /// <summary>Compares tokens of another run.</summary>
    /// <param name="tokens">The beginning of the text, or all of it.</param>
    /// <param name="unclear">Where they part from each of the runs alone, what the choice was there.</param>
    /// <returns>Whether they are those of a run alone, or part from one where its best two tokens are within rounding.</returns>
    public bool Matches(IReadOnlyList<int> tokens, out string? unclear)
    {
        unclear = null;
        bool isUnclear = false;
        foreach (GeneratedToken[] run in _runs)
        {
            int at = run.Zip(tokens).TakeWhile(pair => pair.First.Id == pair.Second).Count();
            if (at == tokens.Count)
            {
                unclear = null;
                return true;
            }

            if (at < run.Length && !isUnclear)
            {
                IReadOnlyList<TokenProbability> top = run[at].TopLogProbabilities;
                float lead = top[0].LogProbability - top[1].LogProbability;
                isUnclear = lead < Rounding && tokens[at] == top[1].Token;
                unclear = $"token {at}: {tokens[at]}, {lead:0.000} between {top[0]} and {top[1]}";
            }
        }

        return isUnclear;
    }
}
