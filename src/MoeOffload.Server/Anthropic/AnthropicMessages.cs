using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MoeOffload.Server.Generation;

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
    Usage Usage,
    SchemaCheck? SchemaCheck = null)
{
    // These members are those of features that only Anthropic's own service has.
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Container { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Diagnostics { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? StopDetails { get; }
}

/// <summary>Represents a part of an answer: <c>text</c>, <c>thinking</c> or <c>tool_use</c>, each with its own fields.</summary>
internal sealed record ContentBlock(
    string Type,
    string? Text = null,
    string? Thinking = null,
    string? Signature = null,
    string? Id = null,
    string? Name = null,
    JsonNode? Input = null,
    Caller? Caller = null,
    JsonElement? Citations = null)
{
    private static readonly JsonElement s_none = JsonElement.Parse("null");

    public static ContentBlock OfText(string text) => new("text", Text: text, Citations: s_none);

    // This server does not sign or verify thinking, so the signature is empty.
    public static ContentBlock OfThinking(string thinking) => new("thinking", Thinking: thinking, Signature: string.Empty);

    public static ContentBlock OfCall(string id, string name, JsonNode input) => new("tool_use", Id: id, Name: name, Input: input, Caller: new Caller("direct"));
}

/// <summary>Represents who calls a tool: always the model itself.</summary>
internal sealed record Caller(string Type);

internal sealed record Usage(int InputTokens, int CacheCreationInputTokens, int CacheReadInputTokens, int OutputTokens)
{
    public string ServiceTier { get; } = "standard";

    // These members are those of features that only Anthropic's own service has.
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? CacheCreation { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? InferenceGeo { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? OutputTokensDetails { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? ServerToolUse { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Speed { get; }
}

internal sealed record MessageStart(string Type, MessageAnswer Message);

internal sealed record BlockStart(string Type, int Index, ContentBlock ContentBlock);

internal sealed record BlockDelta(string Type, int Index, Delta Delta);

internal sealed record Delta(string Type, string? Text = null, string? Thinking = null, string? Signature = null, string? PartialJson = null);

internal sealed record BlockStop(string Type, int Index);

internal sealed record MessageDelta(string Type, StopDelta Delta, Usage Usage, SchemaCheck? SchemaCheck = null);

internal sealed record StopDelta(string StopReason, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? StopSequence)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Container { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? StopDetails { get; }
}

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
