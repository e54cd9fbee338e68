using System.Text;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Represents the statistics at the end of an answer in Ollama's API.</summary>
/// <param name="DoneReason">The reason that the answer ended.</param>
/// <param name="Total">The duration of the whole request, in nanoseconds.</param>
/// <param name="Load">The time until the model was loaded, in nanoseconds.</param>
/// <param name="Prompt">The time from the start of the prompt's processing to the first token, in nanoseconds.</param>
/// <param name="Decode">The time from the first token to the last one, in nanoseconds.</param>
/// <param name="PromptTokens">The number of tokens of the prompt, including those from the prefix cache.</param>
/// <param name="AnswerTokens">The number of tokens of the answer.</param>
internal readonly record struct OllamaFigures(string DoneReason, long Total, long Load, long Prompt, long Decode, int PromptTokens, int AnswerTokens)
{
    /// <summary>Creates the statistics of a completed answer.</summary>
    public static OllamaFigures Of(ApiRequest request, TimeSpan load, GenerationStatistics statistics, bool isCut) => new(
        isCut ? "length" : "stop",
        Nanoseconds(request.Elapsed),
        Nanoseconds(load),
        Nanoseconds(statistics.TimeToFirstToken - statistics.QueueTime),
        Nanoseconds(statistics.DecodeTime),
        statistics.PromptTokens,
        statistics.GeneratedTokens);

    /// <summary>Converts a time to nanoseconds.</summary>
    public static long Nanoseconds(TimeSpan time) => Math.Max(0, time.Ticks) * TimeSpan.NanosecondsPerTick;

    /// <summary>Converts the log probabilities of tokens. The result is <see langword="null"/> if they were not requested.</summary>
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
