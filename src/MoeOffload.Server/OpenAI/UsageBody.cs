namespace MoeOffload.Server.OpenAI;

/// <summary>Represents the token usage of a request.</summary>
internal sealed record UsageBody(
    int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails, CompletionTokensDetails CompletionTokensDetails)
{
    /// <summary>Creates the sum of several generations.</summary>
    /// <param name="generations">The statistics of each generation.</param>
    /// <param name="prompts">The number of prompts. A prompt with several answers counts once, as in OpenAI's API.</param>
    /// <param name="reasoningTokens">The number of reasoning tokens.</param>
    public static UsageBody Of(IReadOnlyList<GenerationStatistics?> generations, int prompts = 1, int reasoningTokens = 0)
    {
        int perPrompt = generations.Count / prompts;
        GenerationStatistics?[] first = [.. generations.Where((_, index) => index % perPrompt == 0)];
        int promptTokens = first.Sum(generation => generation?.PromptTokens ?? 0);
        int cached = first.Sum(generation => generation?.CachedPromptTokens ?? 0);
        int generated = generations.Sum(generation => generation?.GeneratedTokens ?? 0);
        return new UsageBody(
            promptTokens,
            generated,
            promptTokens + generated,
            new PromptTokensDetails(cached, promptTokens - cached),
            new CompletionTokensDetails(reasoningTokens));
    }

    /// <summary>Counts the reasoning tokens with the vocabulary of the model.</summary>
    public static int CountReasoning(MoeModel model, IEnumerable<string?> thoughts) =>
        thoughts.OfType<string>().Sum(text => model.Vocabulary.Tokenize(text, addSpecial: false).Length);
}

/// <summary>Represents how much of a prompt came from the prefix cache. Everything else is written to it.</summary>
internal sealed record PromptTokensDetails(int CachedTokens, int CacheWriteTokens, int AudioTokens = 0);

internal sealed record CompletionTokensDetails(int ReasoningTokens, int AudioTokens = 0, int AcceptedPredictionTokens = 0, int RejectedPredictionTokens = 0);
