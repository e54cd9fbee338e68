using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.Llama;

// These are the messages of the native endpoints of llama.cpp's server, as in its tools/server/README.md.
internal sealed record TokensBody(JsonArray Tokens);

internal sealed record TextBody(string Content);

internal sealed record PromptBody(string Prompt);

internal sealed record SlotBody(int Id, int NCtx, bool Speculative, bool IsProcessing);

internal sealed record PropsBody(
    DefaultSettings DefaultGenerationSettings,
    int TotalSlots,
    string ModelAlias,
    string ModelPath,
    Modalities Modalities,
    string ChatTemplate,
    TemplateCapabilities? ChatTemplateCaps,
    string BosToken,
    string EosToken,
    string BuildInfo);

internal sealed record DefaultSettings(int NCtx, SamplingBody Params);

internal sealed record SamplingBody(float Temperature, int TopK, float TopP, float MinP, float TypicalP, long Seed, int NPredict);

internal sealed record TemplateCapabilities(bool SupportsSystemRole, bool SupportsTools, bool SupportsToolCalls, bool SupportsParallelToolCalls);

internal sealed record FillBody(
    string Content,
    bool Stop,
    int? IdSlot = null,
    string? Model = null,
    int? TokensPredicted = null,
    int? TokensEvaluated = null,
    int? TokensCached = null,
    string? StopType = null,
    string? StoppingWord = null,
    bool? Truncated = null,
    FillTimings? Timings = null);

internal sealed record FillTimings(int PromptN, double PromptMs, int PredictedN, double PredictedMs);

internal sealed record RankingBody(string Model, string Object, RankingUsage Usage, IReadOnlyList<RankedDocumentBody> Results);

internal sealed record RankingUsage(int PromptTokens, int TotalTokens);

internal sealed record RankedDocumentBody(int Index, float RelevanceScore, DocumentBody? Document);

internal sealed record DocumentBody(string Text);

/// <summary>Represents a score in the format of Text Embeddings Inference.</summary>
internal sealed record InferenceScoreBody(int Index, float Score, string? Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokensBody))]
[JsonSerializable(typeof(TextBody))]
[JsonSerializable(typeof(PromptBody))]
[JsonSerializable(typeof(SlotBody[]))]
[JsonSerializable(typeof(PropsBody))]
[JsonSerializable(typeof(FillBody))]
[JsonSerializable(typeof(RankingBody))]
[JsonSerializable(typeof(InferenceScoreBody[]))]
internal sealed partial class LlamaJson : JsonSerializerContext;
