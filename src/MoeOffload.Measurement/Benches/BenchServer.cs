using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Benches;

/// <summary>Represents a server with a model loaded, and a client of it that measures times.</summary>
/// <param name="served">The server, which is disposed with this object.</param>
internal sealed class BenchServer(IServedModel served) : IAsyncDisposable
{
    private const string Data = "data: ";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = served.Address, Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Lets the model continue a prompt, even after an end-of-sequence token.</summary>
    /// <exception cref="HttpRequestException">The server refused the request, or sent an unexpected answer.</exception>
    public async Task<CompletionTiming> AskAsync(
        string prompt, int maxTokens, float temperature, uint seed, bool stream, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = served.Model,
            ["prompt"] = prompt,
            ["max_tokens"] = maxTokens,
            ["temperature"] = temperature,
            ["seed"] = seed,
            ["ignore_eos"] = true,
            ["stream"] = stream,
        };
        if (stream)
        {
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions") { Content = JsonContent.Create(body) };
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw Wrong(await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false));
        }

        var pieces = new List<TimeSpan>();
        JsonNode? usage = null;
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            TimeSpan now = Stopwatch.GetElapsedTime(start);
            string json = line.StartsWith(Data, StringComparison.Ordinal) ? line[Data.Length..] : line;
            if (!json.StartsWith('{'))
            {
                continue;
            }

            JsonNode answer = JsonNode.Parse(json)!;
            usage = answer["error"] is null ? answer["usage"] ?? usage : throw Wrong(json);
            if (stream && answer["choices"] is JsonArray { Count: > 0 } choices && (string?)choices[0]!["text"] is { Length: > 0 })
            {
                pieces.Add(now);
            }
        }

        TimeSpan total = Stopwatch.GetElapsedTime(start);
        return usage is not null && (int)usage["prompt_tokens_details"]!["cached_tokens"]! == 0
            ? new CompletionTiming((int)usage["prompt_tokens"]!, (int)usage["completion_tokens"]!, pieces, total)
            : throw Wrong($"its usage is {usage?.ToJsonString() ?? "missing"}");
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return served.DisposeAsync();
    }

    private static HttpRequestException Wrong(string what) => new($"The server sent an unexpected answer: {what}");
}
