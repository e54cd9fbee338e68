using MoeOffload.Server.Http;
using MoeOffload.Server.Models;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.Ollama;

/// <summary>Maps the endpoints of Ollama's API, except for <c>/api/generate</c>, which shimmy's API also has.</summary>
internal static class OllamaEndpoints
{
    // Clients use the version to determine the supported features. This is the version of Ollama's API that is implemented here.
    private const string ApiVersion = "0.12.11";

    public static void Map(ApiRoutes routes, FileFactsReader files)
    {
        var models = new ModelEndpoints(files);
        ErrorFormat errors = OllamaErrors.Format;
        routes.Post("/api/chat", errors, ChatEndpoint.HandleAsync);
        routes.Post("/api/embed", errors, EmbedEndpoint.HandleAsync);
        routes.Post("/api/embeddings", errors, EmbedEndpoint.HandleFormerAsync);
        routes.Get("/api/tags", errors, models.ListAsync);
        routes.Get("/api/ps", errors, models.ListLoadedAsync);
        routes.Post("/api/show", errors, models.ShowAsync, ApiAccess.Look);
        routes.Post("/api/copy", errors, ManageEndpoints.CopyAsync);
        routes.Post("/api/pull", errors, ManageEndpoints.PullAsync);
        routes.Map("DELETE", "/api/delete", errors, ManageEndpoints.DeleteAsync);
        routes.Get("/api/version", errors, request => request.WriteJsonAsync(new VersionAnswer(ApiVersion), OllamaJson.Default.VersionAnswer));
    }
}
