using MoeOffload.Server.Http;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.OpenAI;

/// <summary>Maps the endpoints of OpenAI's API.</summary>
internal static class OpenAIEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Get("/v1/models", OpenAIErrors.Format, ModelsEndpoint.ListAsync);
        routes.Get("/v1/models/{**id}", OpenAIErrors.Format, ModelsEndpoint.GetAsync);
        routes.Post("/v1/chat/completions", OpenAIErrors.Format, ChatCompletionsEndpoint.AnswerAsync);
        routes.Post("/v1/completions", OpenAIErrors.Format, CompletionsEndpoint.AnswerAsync);
        routes.Post("/v1/embeddings", OpenAIErrors.Format, EmbeddingsEndpoint.AnswerAsync);
        var responses = new ResponsesEndpoint(new ResponseStore());
        routes.Post("/v1/responses", OpenAIErrors.Responses, responses.AnswerAsync);
        routes.Get("/v1/responses/{id}", OpenAIErrors.Format, responses.GetAsync);
        routes.Map("DELETE", "/v1/responses/{id}", OpenAIErrors.Format, responses.DeleteAsync, ApiAccess.Look);
        foreach (string method in (string[])["GET", "POST", "PUT", "PATCH", "DELETE"])
        {
            routes.Map(method, "/v1/{**path}", OpenAIErrors.Format, request => NotFoundAsync(request, routes), ApiAccess.Look);
        }
    }

    private static Task NotFoundAsync(ApiRequest request, ApiRoutes routes)
    {
        string path = request.Http.Request.Path.Value ?? string.Empty;
        if (routes.MethodsOf(path.TrimEnd('/')) is { Count: > 0 } methods)
        {
            string allowed = string.Join(", ", methods);
            request.Http.Response.Headers.Allow = allowed;
            throw new ApiException(405, "invalid_request_error", "method_not_allowed", $"The endpoint {path} does not support {request.Http.Request.Method}. Use {allowed}.");
        }

        throw new ApiException(
            404,
            "invalid_request_error",
            "unknown_url",
            $"The endpoint {request.Http.Request.Method} {path} does not exist. See the server's documentation for a list of its endpoints.");
    }
}
