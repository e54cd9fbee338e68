using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MoeOffload.Server.Generation;

namespace MoeOffload.Server.Ollama;

// These are the messages of Ollama's API, as in its docs/api.md and the ollama npm package. Times are in nanoseconds; null is omitted.
internal sealed record OllamaError(string Error);

internal sealed record ChatAnswer(
    string Model,
    DateTime CreatedAt,
    AnswerMessage Message,
    bool Done,
    string? DoneReason = null,
    long? TotalDuration = null,
    long? LoadDuration = null,
    int? PromptEvalCount = null,
    long? PromptEvalDuration = null,
    int? EvalCount = null,
    long? EvalDuration = null,
    IReadOnlyList<TokenLogProbability>? Logprobs = null,
    SchemaCheck? SchemaCheck = null,
    int? OmittedMessages = null);

internal sealed record AnswerMessage(string Role, string Content, string? Thinking = null, IReadOnlyList<AnswerCall>? ToolCalls = null);

internal sealed record AnswerCall(string Id, AnswerFunction Function);

internal sealed record AnswerFunction(int Index, string Name, JsonNode Arguments);

internal sealed record GenerateAnswer(
    string Model,
    DateTime CreatedAt,
    string Response,
    bool Done,
    string? Thinking = null,
    string? DoneReason = null,
    long? TotalDuration = null,
    long? LoadDuration = null,
    int? PromptEvalCount = null,
    long? PromptEvalDuration = null,
    int? EvalCount = null,
    long? EvalDuration = null,
    IReadOnlyList<TokenLogProbability>? Logprobs = null,
    SchemaCheck? SchemaCheck = null);

internal sealed record TokenLogProbability(string Token, float Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<TokenLogProbability>? TopLogprobs = null);

internal sealed record EmbedAnswer(string Model, IReadOnlyList<ReadOnlyMemory<float>> Embeddings, long TotalDuration, long LoadDuration, int PromptEvalCount);

internal sealed record EmbeddingAnswer(ReadOnlyMemory<float> Embedding);

internal sealed record TagsAnswer(IReadOnlyList<ModelTag> Models);

internal sealed record ModelTag(
    string Name,
    string Model,
    DateTime ModifiedAt,
    long Size,
    string Digest,
    ModelDetails Details,
    DateTime? ExpiresAt = null,
    long? SizeVram = null,
    int? ContextLength = null);

internal sealed record ModelDetails(
    string ParentModel, string Format, string Family, IReadOnlyList<string> Families, string ParameterSize, string QuantizationLevel);

internal sealed record ShowAnswer(
    string? License,
    string Modelfile,
    string Parameters,
    string Template,
    ModelDetails Details,
    JsonObject ModelInfo,
    IReadOnlyList<string> Capabilities,
    DateTime ModifiedAt);

internal sealed record VersionAnswer(string Version);

internal sealed record PullAnswer(string Status, string? Digest = null, long? Total = null, long? Completed = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OllamaError))]
[JsonSerializable(typeof(ChatAnswer))]
[JsonSerializable(typeof(GenerateAnswer))]
[JsonSerializable(typeof(EmbedAnswer))]
[JsonSerializable(typeof(EmbeddingAnswer))]
[JsonSerializable(typeof(TagsAnswer))]
[JsonSerializable(typeof(ShowAnswer))]
[JsonSerializable(typeof(VersionAnswer))]
[JsonSerializable(typeof(PullAnswer))]
internal sealed partial class OllamaJson : JsonSerializerContext;
