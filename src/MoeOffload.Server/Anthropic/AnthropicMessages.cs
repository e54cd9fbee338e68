using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MoeOffload.Server.Anthropic;

// These are the messages of Anthropic's Messages API, as in https://docs.anthropic.com/en/api/messages and its SDKs.
internal sealed record ErrorAnswer(string Type, ErrorDetail Error, string RequestId);

internal sealed record ErrorDetail(string Type, string Message);

internal sealed record MessageAnswer(
    string Id,
    string Type,
    string Role,
    string Model,
    IReadOnlyList<ContentBlock> Content,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopReason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopSequence,
    Usage Usage);

/// <summary>Represents a part of an answer: <c>text</c>, <c>thinking</c> or <c>tool_use</c>, each with its own fields.</summary>
internal sealed record ContentBlock(
    string Type,
    string? Text = null,
    string? Thinking = null,
    string? Signature = null,
    string? Id = null,
    string? Name = null,
    JsonNode? Input = null)
{
    public static ContentBlock OfText(string text) => new("text", Text: text);

    // This server does not sign or verify thinking, so the signature is empty.
    public static ContentBlock OfThinking(string thinking) => new("thinking", Thinking: thinking, Signature: string.Empty);

    public static ContentBlock OfCall(string id, string name, JsonNode input) => new("tool_use", Id: id, Name: name, Input: input);
}

internal sealed record Usage(int InputTokens, int CacheCreationInputTokens, int CacheReadInputTokens, int OutputTokens);

internal sealed record MessageStart(string Type, MessageAnswer Message);

internal sealed record BlockStart(string Type, int Index, ContentBlock ContentBlock);

internal sealed record BlockDelta(string Type, int Index, Delta Delta);

internal sealed record Delta(string Type, string? Text = null, string? Thinking = null, string? Signature = null, string? PartialJson = null);

internal sealed record BlockStop(string Type, int Index);

internal sealed record MessageDelta(string Type, StopDelta Delta, Usage Usage);

internal sealed record StopDelta(string StopReason, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopSequence);

internal sealed record PlainEvent(string Type);

internal sealed record TokenCount(int InputTokens);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(MessageStart))]
[JsonSerializable(typeof(BlockStart))]
[JsonSerializable(typeof(BlockDelta))]
[JsonSerializable(typeof(BlockStop))]
[JsonSerializable(typeof(MessageDelta))]
[JsonSerializable(typeof(PlainEvent))]
[JsonSerializable(typeof(TokenCount))]
internal sealed partial class AnthropicJson : JsonSerializerContext;
