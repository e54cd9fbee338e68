using System.Text.Json.Serialization;
using MoeOffload.Server.Http;
using MoeOffload.Server.OpenAI;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.Operations;

/// <summary>Maps the health checks <c>/health</c> and <c>/ready</c>.</summary>
internal static class OperationsEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Get("/health", OpenAIErrors.Format, HealthAsync, ApiAccess.Open);
        routes.Get("/ready", OpenAIErrors.Format, ReadyAsync, ApiAccess.Open);
    }

    // The server is healthy as long as it answers, even while it stops, so that a supervisor does not restart it during the grace time.
    private static Task HealthAsync(ApiRequest request) => WriteAsync(request, request.Services.Gate.IsStopping ? "stopping" : "ok", 200);

    private static Task ReadyAsync(ApiRequest request) => request.Services.Gate.IsStopping
        ? WriteAsync(request, "stopping", 503)
        : WriteAsync(request, "ready", 200);

    private static Task WriteAsync(ApiRequest request, string status, int code) => request.WriteJsonAsync(
        new HealthBody(status, request.Models.GetLoaded().Count, request.Services.Gate.Active), OperationsJson.Default.HealthBody, code);
}

internal sealed record HealthBody(string Status, int ModelsLoaded, int ActiveRequests);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class OperationsJson : JsonSerializerContext;
