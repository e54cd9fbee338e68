using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Ollama;

namespace MoeOffload.Server.Shimmy;

/// <summary>
/// <c>POST /api/generate</c>, which Ollama and shimmy have both, with other fields and other streams. A request with a field that only
/// Ollama has is Ollama's; one with a field that only shimmy has is shimmy's; of what remains, a model and a prompt, those are shimmy's
/// that accept <c>text/event-stream</c> alone of the two kinds of streams, and all others Ollama's.
/// </summary>
internal static class SharedGenerate
{
    private static readonly string[] s_ollama =
    [
        "options", "format", "template", "raw", "context", "images", "suffix", "keep_alive", "think", "logprobs", "top_logprobs",
    ];

    private static readonly string[] s_shimmy = ["messages", "max_tokens", "temperature", "top_p", "top_k"];

    public static async Task HandleAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        await (IsShimmy(body.Element, request.Http.Request) ? ShimmyGenerate.HandleAsync(request, body) : GenerateEndpoint.HandleAsync(request, body))
            .ConfigureAwait(false);
    }

    private static bool IsShimmy(JsonElement body, HttpRequest request)
    {
        bool Has(string name) => body.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;
        if (s_ollama.Any(Has))
        {
            return false;
        }

        return s_shimmy.Any(Has) || (Accepts(request, "text/event-stream") && !Accepts(request, "application/x-ndjson"));
    }

    private static bool Accepts(HttpRequest request, string type) =>
        request.Headers.Accept.Any(value => value?.Contains(type, StringComparison.OrdinalIgnoreCase) == true);
}
