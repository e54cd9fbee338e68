using System.Text.Json.Serialization;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;

namespace MoeOffload.Server.OpenAI;

internal sealed record ChatCompletionBody(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<ChatChoice> Choices, UsageBody Usage);

internal sealed record ChatChoice(
    int Index,
    MessageBody Message,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] LogProbabilitiesBody? Logprobs,
    string FinishReason,
    SchemaCheck? SchemaCheck = null);

internal sealed record MessageBody(
    string Role,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Refusal,
    string? ReasoningContent,
    IReadOnlyList<CallBody>? ToolCalls)
{
    public static MessageBody Of(ChatMessage message, IReadOnlySet<string> customTools) => new(
        "assistant",
        message.Content.Length == 0 && message.ToolCalls.Count > 0 ? null : message.Content,
        null,
        message.ReasoningContent,
        message.ToolCalls.Count == 0 ? null : [.. message.ToolCalls.Select(call => CallBody.Of(call, customTools))]);
}

internal sealed record CallBody(int? Index, string? Id, string? Type, FunctionBody? Function = null, CustomBody? Custom = null)
{
    public static CallBody Of(ToolCall call, IReadOnlySet<string> customTools) => customTools.Contains(call.Name)
        ? new CallBody(null, call.Id, "custom", Custom: new CustomBody(call.Name, CustomTools.InputOf(call.Arguments)))
        : new CallBody(null, call.Id, "function", new FunctionBody(call.Name, call.Arguments));
}

internal sealed record CustomBody(string? Name, string Input);

internal sealed record FunctionBody(string? Name, string Arguments);

internal sealed record ChatChunkBody(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<ChunkChoice> Choices, UsageBody? Usage, PromptProgress? PromptProgress = null);

/// <summary>Represents a chunk of a stream whose last chunk has the usage.</summary>
internal sealed record ChatChunkWithoutUsageBody(
    string Id,
    string Object,
    long Created,
    string Model,
    string SystemFingerprint,
    IReadOnlyList<ChunkChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] UsageBody? Usage)
{
    public static ChatChunkWithoutUsageBody Of(ChatChunkBody chunk) =>
        new(chunk.Id, chunk.Object, chunk.Created, chunk.Model, chunk.SystemFingerprint, chunk.Choices, null);
}

/// <summary>Represents how much of a prompt has been processed, as in llama.cpp's server.</summary>
internal sealed record PromptProgress(int Total, int Cache, int Processed, long TimeMs);

internal sealed record ChunkChoice(
    int Index,
    DeltaBody Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] LogProbabilitiesBody? Logprobs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason,
    SchemaCheck? SchemaCheck = null);

internal sealed record DeltaBody(string? Role = null, string? Content = null, string? ReasoningContent = null, IReadOnlyList<CallBody>? ToolCalls = null)
{
    [JsonIgnore]
    public bool IsEmpty => Role is null && Content is null && ReasoningContent is null && ToolCalls is null;

    public static DeltaBody Of(ChatUpdate update, bool isFirst, IReadOnlyList<CallBody> calls) => new(
        isFirst ? "assistant" : null,
        update.Content.Length > 0 ? update.Content : null,
        update.ReasoningContent.Length > 0 ? update.ReasoningContent : null,
        calls.Count == 0 ? null : calls);
}
