using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/models</c>, which lists the models and their states.</summary>
internal static class ModelsEndpoint
{
    public static Task ListAsync(ApiRequest request) => request.WriteJsonAsync(
        new ModelListBody("list", [.. request.Models.List().Select(status => Describe(status, request.Models))]), OpenAIJson.Default.ModelListBody);

    public static Task GetAsync(ApiRequest request) => request.WriteJsonAsync(
        Describe(request.Models.GetStatus(request.FindModel(request.Http.Request.RouteValues["id"] as string ?? string.Empty)), request.Models), OpenAIJson.Default.ModelBody);

    private static ModelBody Describe(ModelStatus status, ModelHost models) => new(
        status.Entry.Name,
        "model",
        new DateTimeOffset(File.GetLastWriteTimeUtc(status.Entry.Path)).ToUnixTimeSeconds(),
        status.Entry.Source.ToString().ToLowerInvariant(),
        status.Entry.Bytes,
        models.GetServedLength(status.Entry),
        status.State.ToString().ToLowerInvariant(),
        status.State == ModelState.Loading ? status.Progress : null,
        status.State == ModelState.Loaded ? status.MemoryBytes : null,
        status.Error);
}

internal sealed record ModelListBody(string Object, IReadOnlyList<ModelBody> Data);

/// <summary>Represents a model. The members after <paramref name="OwnedBy"/> are not part of OpenAI's API.</summary>
internal sealed record ModelBody(
    string Id, string Object, long Created, string OwnedBy, long FileBytes, int? ContextLength, string State, double? Progress, long? MemoryBytes, string? Error);
