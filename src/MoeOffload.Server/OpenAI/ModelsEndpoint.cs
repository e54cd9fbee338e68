using System.Text.Json.Serialization;
using MoeOffload.Server.Http;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/models</c>, which lists the models and their states.</summary>
internal static class ModelsEndpoint
{
    public static Task ListAsync(ApiRequest request)
    {
        ModelBody[] models = [.. request.Models.List().Select(status => Describe(status, request.Models))];
        return request.WriteJsonAsync(
            new ModelListBody("list", models, false, models.FirstOrDefault()?.Id, models.LastOrDefault()?.Id), OpenAIJson.Default.ModelListBody);
    }

    public static Task GetAsync(ApiRequest request) => request.WriteJsonAsync(
        Describe(request.Models.GetStatus(request.FindModel(request.Http.Request.RouteValues["id"] as string ?? string.Empty)), request.Models), OpenAIJson.Default.ModelBody);

    private static ModelBody Describe(ModelStatus status, ModelHost models) => new(
        status.Entry.Name,
        "model",
        new DateTimeOffset(File.GetLastWriteTimeUtc(status.Entry.Path)).ToUnixTimeSeconds(),
        status.Entry.Source.ToString().ToLowerInvariant(),
        "model",
        status.Entry.Name,
        File.GetLastWriteTimeUtc(status.Entry.Path),
        status.Entry.Bytes,
        models.GetServedLength(status.Entry),
        status.State.ToString().ToLowerInvariant(),
        status.State == ModelState.Loading ? status.Progress : null,
        status.State == ModelState.Loaded ? status.MemoryBytes : null,
        status.Error)
    {
        MaxInputTokens = models.GetServedLength(status.Entry),
        MaxTokens = models.GetServedLength(status.Entry),
        Modalities = new Modalities(models.ReadsImages(status.Entry), Audio: false),
    };
}

/// <summary>Represents the list of models of OpenAI's API and, with the members after <paramref name="Data"/>, of Anthropic's.</summary>
internal sealed record ModelListBody(
    string Object,
    IReadOnlyList<ModelBody> Data,
    bool HasMore,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FirstId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? LastId);

/// <summary>
/// Represents a model of OpenAI's API and, with <paramref name="Type"/>, <paramref name="DisplayName"/> and <paramref name="CreatedAt"/>, of
/// Anthropic's. The positional members after these are not part of either.
/// </summary>
internal sealed record ModelBody(
    string Id, string Object, long Created, string OwnedBy, string Type, string DisplayName, DateTime CreatedAt, long FileBytes, int? ContextLength, string State, double? Progress, long? MemoryBytes, string? Error)
{
    public string Lifecycle { get; } = "active";

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int? MaxInputTokens { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public int? MaxTokens { get; init; }

    // As in /props of llama.cpp's server.
    public Modalities? Modalities { get; init; }

    // These members are those of features that only Anthropic's own service has.
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Capabilities { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? DeprecatedAt { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Line { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? RetiresAt { get; }
}
