using System.Text.Json;
using System.Text.Json.Serialization;
using MoeOffload.Server.Generation;

namespace MoeOffload.Server.OpenAI;

internal sealed record ResponseBody
{
    public required string Id { get; init; }

    public string Object { get; init; } = "response";

    public required long CreatedAt { get; init; }

    public required string Status { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ErrorDetail? Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public IncompleteDetails? IncompleteDetails { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Instructions { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int? MaxOutputTokens { get; init; }

    public required string Model { get; init; }

    public IReadOnlyList<OutputItem> Output { get; init; } = [];

    public bool ParallelToolCalls { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? PreviousResponseId { get; init; }

    public JsonElement Reasoning { get; init; }

    /// <summary>Gets a value that indicates whether later requests can refer to the response.</summary>
    public bool Store { get; init; }

    public float Temperature { get; init; }

    public JsonElement Text { get; init; }

    public JsonElement ToolChoice { get; init; }

    public JsonElement Tools { get; init; }

    public float TopP { get; init; }

    public string Truncation { get; init; } = "disabled";

    public ResponseUsage? Usage { get; init; }

    public string? User { get; init; }

    public JsonElement Metadata { get; init; }

    public SchemaCheck? SchemaCheck { get; init; }
}

internal sealed record DeletedBody(string Id, string Object, bool Deleted);

internal sealed record IncompleteDetails(string Reason);

internal sealed record ResponseUsage(
    int InputTokens, InputTokensDetails InputTokensDetails, int OutputTokens, OutputTokensDetails OutputTokensDetails, int TotalTokens);

internal sealed record InputTokensDetails(int CachedTokens, int CacheWriteTokens);

internal sealed record OutputTokensDetails(int ReasoningTokens);

/// <summary>Represents a message, the call of a function or of a custom tool, or the model's reasoning, depending on its type.</summary>
internal sealed record OutputItem
{
    public required string Id { get; init; }

    public required string Type { get; init; }

    public string? Status { get; init; }

    public string? Role { get; init; }

    public IReadOnlyList<ContentPart>? Content { get; init; }

    public IReadOnlyList<ContentPart>? Summary { get; init; }

    public string? CallId { get; init; }

    public string? Name { get; init; }

    public string? Arguments { get; init; }

    /// <summary>Gets the input of a custom tool.</summary>
    public string? Input { get; init; }
}

internal sealed record ContentPart(string Type, string Text, IReadOnlyList<string>? Annotations = null, IReadOnlyList<TokenProbabilityBody>? Logprobs = null);

/// <summary>Represents an event of a stream. Its type determines which fields it has.</summary>
internal sealed record ResponseEvent(string Type)
{
    public int SequenceNumber { get; init; }

    public ResponseBody? Response { get; init; }

    public int? OutputIndex { get; init; }

    public OutputItem? Item { get; init; }

    public string? ItemId { get; init; }

    public int? ContentIndex { get; init; }

    public ContentPart? Part { get; init; }

    public string? Delta { get; init; }

    public string? Text { get; init; }

    public string? Name { get; init; }

    public string? Arguments { get; init; }

    public string? Input { get; init; }

    public IReadOnlyList<TokenProbabilityBody>? Logprobs { get; init; }
}
