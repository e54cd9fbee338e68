using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Http;
using MoeOffload.Server.Ollama;

namespace MoeOffload.Server.Shimmy;

/// <summary>
/// Handles <c>POST /api/generate</c>, which the APIs of Ollama and shimmy both have, with different fields and streams. A field that only
/// one of them has decides. A request with only the common fields belongs to shimmy's API if it accepts <c>text/event-stream</c> and not
/// Ollama's kind of stream; otherwise, it belongs to Ollama's.
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
        await (IsShimmy([.. body.Names], request.Http.Request) ? ShimmyGenerate.HandleAsync(request, body) : GenerateEndpoint.HandleAsync(request, body))
            .ConfigureAwait(false);
    }

    private static bool IsShimmy(HashSet<string> names, HttpRequest request) => !s_ollama.Any(names.Contains)
        && (s_shimmy.Any(names.Contains) || (Accepts(request, "text/event-stream") && !Accepts(request, "application/x-ndjson")));

    private static bool Accepts(HttpRequest request, string type) =>
        request.Headers.Accept.Any(value => value?.Contains(type, StringComparison.OrdinalIgnoreCase) == true);
}
