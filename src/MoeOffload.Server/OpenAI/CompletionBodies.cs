using System.Text.Json.Serialization;
using MoeOffload.Server.Generation;

namespace MoeOffload.Server.OpenAI;

internal sealed record CompletionBody(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<CompletionChoice> Choices, UsageBody? Usage);

/// <summary>Represents a chunk of a stream whose last chunk has the usage.</summary>
internal sealed record CompletionChunkWithoutUsageBody(
    string Id,
    string Object,
    long Created,
    string Model,
    string SystemFingerprint,
    IReadOnlyList<CompletionChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] UsageBody? Usage);

internal sealed record CompletionChoice(
    string Text,
    int Index,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] CompletionProbabilities? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason,
    SchemaCheck? SchemaCheck = null);

internal sealed record CompletionProbabilities(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<float> TokenLogprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<Dictionary<string, float>>? TopLogprobs,
    IReadOnlyList<int> TextOffset);
