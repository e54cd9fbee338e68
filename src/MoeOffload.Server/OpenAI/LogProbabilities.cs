using System.Text;
using System.Text.Json.Serialization;

namespace MoeOffload.Server.OpenAI;

/// <summary>Converts log probabilities to the format of chat completions.</summary>
internal static class LogProbabilities
{
    // OpenAI's value for a token that is practically impossible. JSON does not support infinity.
    private const float Impossible = -9999;

    public static LogProbabilitiesBody? Of(MoeModel model, IEnumerable<GeneratedToken> tokens)
    {
        TokenProbabilityBody[] content = List(model, tokens);
        return content.Length > 0 ? new LogProbabilitiesBody(content) : null;
    }

    public static TokenProbabilityBody[] List(MoeModel model, IEnumerable<GeneratedToken> tokens) =>
    [
        .. tokens.Where(IsText).Select(token => new TokenProbabilityBody(
            Text(model, token.Id),
            Finite(token.LogProbability),
            Bytes(model, token.Id),
            [.. token.TopLogProbabilities.Select(top => new TopProbabilityBody(Text(model, top.Token), Finite(top.LogProbability), Bytes(model, top.Token)))])),
    ];

    /// <summary>Determines whether a token is part of the answer. The token that ends the answer and tokens removed by a stop string are not.</summary>
    public static bool IsText(GeneratedToken token) =>
        token.StopReason is not StopReason.EndOfSequence && !(token.StopReason is StopReason.StopString && token.Utf8.IsEmpty);

    public static string Text(MoeModel model, int token) => Encoding.UTF8.GetString(model.Vocabulary.GetPiece(token).Span);

    public static float Finite(float probability) => float.IsFinite(probability) ? probability : Impossible;

    private static int[] Bytes(MoeModel model, int token) => [.. model.Vocabulary.GetPiece(token).ToArray().Select(value => (int)value)];
}

internal sealed record LogProbabilitiesBody(
    IReadOnlyList<TokenProbabilityBody> Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<TokenProbabilityBody>? Refusal = null);

internal sealed record TokenProbabilityBody(string Token, float Logprob, int[] Bytes, IReadOnlyList<TopProbabilityBody> TopLogprobs);

internal sealed record TopProbabilityBody(string Token, float Logprob, int[] Bytes);
