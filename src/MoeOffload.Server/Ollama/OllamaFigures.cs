using System.Text;

namespace MoeOffload.Server.Ollama;

/// <summary>What Ollama says at the end of an answer.</summary>
/// <param name="DoneReason">Why it ended.</param>
/// <param name="Total">The whole request, in nanoseconds.</param>
/// <param name="Load">Until the model was loaded.</param>
/// <param name="Prompt">The first token, without the waiting for a place.</param>
/// <param name="Decode">From the first token to the last.</param>
/// <param name="PromptTokens">Tokens of the prompt, those of the prefix cache included.</param>
/// <param name="AnswerTokens">Tokens of the answer.</param>
internal readonly record struct OllamaFigures(string DoneReason, long Total, long Load, long Prompt, long Decode, int PromptTokens, int AnswerTokens)
{
    /// <summary>Takes them from an answer that has ended.</summary>
    public static OllamaFigures Of(ApiRequest request, TimeSpan load, GenerationStatistics statistics, bool isCut) => new(
        isCut ? "length" : "stop",
        Nanoseconds(request.Elapsed),
        Nanoseconds(load),
        Nanoseconds(statistics.TimeToFirstToken - statistics.QueueTime),
        Nanoseconds(statistics.DecodeTime),
        statistics.PromptTokens,
        statistics.GeneratedTokens);

    /// <summary>A time in nanoseconds.</summary>
    public static long Nanoseconds(TimeSpan time) => Math.Max(0, time.Ticks) * TimeSpan.NanosecondsPerTick;

    /// <summary>The log-probabilities of tokens; null where they were not asked for.</summary>
    public static IReadOnlyList<TokenLogProbability>? LogProbabilities(IEnumerable<GeneratedToken> tokens, Vocabulary vocabulary, SamplingOptions sampling) =>
        sampling.TopLogProbabilities is not { } count ? null :
        [
            .. tokens.Where(token => !float.IsNaN(token.LogProbability)).Select(token => Describe(token.Id, token.LogProbability, vocabulary) with
            {
                TopLogprobs = count == 0 ? null : [.. token.TopLogProbabilities.Select(other => Describe(other.Token, other.LogProbability, vocabulary))],
            }),
        ];

    private static TokenLogProbability Describe(int token, float probability, Vocabulary vocabulary)
    {
        ReadOnlyMemory<byte> piece = vocabulary.GetPiece(token);
        return new TokenLogProbability(Encoding.UTF8.GetString(piece.Span), probability, [.. piece.ToArray().Select(value => (int)value)]);
    }
}
