using System.Net.Http.Headers;
using System.Text.Json;

namespace MoeOffload.Shared;

/// <summary>Asks a server over HTTP whether it accepts requests, and what state a model is in.</summary>
internal static class ServerProbe
{
    // A probe that has no answer after this time counts as a failure, even if the caller would wait longer.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) })
    {
        Timeout = s_limit,
    };

    /// <summary>Asks a server.</summary>
    /// <param name="endpoint">The address of the server, with or without <c>/v1</c>.</param>
    /// <param name="model">The name of a model, or <see langword="null"/> to ask only for the server.</param>
    /// <param name="key">The API key, or <see langword="null"/> if the server requires none.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>What the server answered. Failures are results too.</returns>
    public static async Task<ServerState> AskAsync(Uri endpoint, string? model, string? key, CancellationToken cancellationToken)
    {
        string server = ServerAddress.WithoutVersion(endpoint);
        try
        {
            using HttpResponseMessage ready = await s_client.GetAsync(new Uri($"{server}/ready"), cancellationToken).ConfigureAwait(false);
            if (!ready.IsSuccessStatusCode)
            {
                return ServerState.Failed($"The server at {server} does not accept requests: it answered with status {(int)ready.StatusCode}.");
            }

            return model is null ? ServerState.Ready($"The server at {server} accepts requests.") : await AskModelAsync(server, model, key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return ServerState.Failed($"The server at {server} does not answer: {error.Message}");
        }
    }

    private static async Task<ServerState> AskModelAsync(string server, string model, string? key, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{server}/v1/models/{Uri.EscapeDataString(model)}");
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        using HttpResponseMessage answer = await s_client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        using Stream content = await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using JsonDocument body = await JsonDocument.ParseAsync(content, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (!answer.IsSuccessStatusCode)
        {
            string? reason = Member(body.RootElement, "error") is { ValueKind: JsonValueKind.Object } error ? Member(error, "message")?.ToString() : null;
            return ServerState.Failed(reason ?? $"The server at {server} answered with status {(int)answer.StatusCode} when it was asked for the model '{model}'.");
        }

        return Member(body.RootElement, "state")?.ToString() switch
        {
            "loaded" => ServerState.Loaded($"The model '{model}' is loaded."),
            "loading" when Member(body.RootElement, "progress") is { ValueKind: JsonValueKind.Number } progress =>
                ServerState.Loading($"The model '{model}' is being loaded: {Math.Floor(progress.GetDouble() * 100):0} %."),
            "loading" => ServerState.Loading($"The model '{model}' is being loaded."),
            "failed" => ServerState.Failed($"The model '{model}' could not be loaded: {Member(body.RootElement, "error")}"),
            _ => ServerState.Ready($"The model '{model}' is loaded when it is requested."),
        };
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : null;
}
