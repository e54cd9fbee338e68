namespace MoeOffload.Server.OpenAI;

/// <summary>What answers cost, in the model's own tokens.</summary>
internal sealed record UsageBody(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails, CompletionTokensDetails CompletionTokensDetails)
{
    /// <summary>Adds up generations.</summary>
    /// <param name="generations">What each cost.</param>
    /// <param name="prompts">How many prompts they answer: a prompt with several answers counts once, as with OpenAI.</param>
    /// <param name="reasoningTokens">Tokens of what the model thought.</param>
    public static UsageBody Of(IReadOnlyList<GenerationStatistics?> generations, int prompts = 1, int reasoningTokens = 0)
    {
        int perPrompt = generations.Count / prompts;
        GenerationStatistics?[] first = [.. generations.Where((_, index) => index % perPrompt == 0)];
        int promptTokens = first.Sum(generation => generation?.PromptTokens ?? 0);
        int generated = generations.Sum(generation => generation?.GeneratedTokens ?? 0);
        return new UsageBody(
            promptTokens,
            generated,
            promptTokens + generated,
            new PromptTokensDetails(first.Sum(generation => generation?.CachedPromptTokens ?? 0)),
            new CompletionTokensDetails(reasoningTokens));
    }

    /// <summary>The tokens of what models thought, by their own vocabulary.</summary>
    public static int CountReasoning(MoeModel model, IEnumerable<string?> thoughts) =>
        thoughts.OfType<string>().Sum(text => model.Vocabulary.Tokenize(text, addSpecial: false).Length);
}

internal sealed record PromptTokensDetails(int CachedTokens);

internal sealed record CompletionTokensDetails(int ReasoningTokens);
