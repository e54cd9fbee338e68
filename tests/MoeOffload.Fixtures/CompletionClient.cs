using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Fixtures;

/// <summary>A client of <c>/v1/completions</c>, as servers of all kinds have it, that takes the time.</summary>
public sealed class CompletionClient : IDisposable
{
    private const string Data = "data: ";

    private readonly HttpClient _http;
    private readonly string _model;

    /// <summary>Makes a client.</summary>
    /// <param name="server">The server's address.</param>
    /// <param name="model">The model's name, for servers that have several.</param>
    public CompletionClient(Uri server, string model = "any")
    {
        _http = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromMinutes(3) };

        // Servers close connections that are idle for some seconds, and a request must not use one of those.
        _http.DefaultRequestHeaders.ConnectionClose = true;
        _model = model;
    }

    /// <summary>Continues tokens greedily, even after an end-of-generation token, and reads the answer while it is generated.</summary>
    /// <param name="prompt">Token ids.</param>
    /// <param name="count">How many tokens the answer must have.</param>
    /// <returns>The time to the first piece of the answer.</returns>
    /// <exception cref="HttpRequestException">It was refused, or has another number of tokens.</exception>
    public async Task<TimeSpan> StreamAsync(IEnumerable<int> prompt, int count)
    {
        var body = new JsonObject
        {
            ["model"] = _model,
            ["prompt"] = new JsonArray([.. prompt.Select(token => JsonValue.Create(token))]),
            ["max_tokens"] = count,
            ["temperature"] = 0,
            ["ignore_eos"] = true,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
            ["cache_prompt"] = false,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions") { Content = JsonContent.Create(body) };
        long start = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        TimeSpan? first = null;
        string last = "{}";
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith($"{Data}{{", StringComparison.Ordinal))
            {
                first ??= Stopwatch.GetElapsedTime(start);
                last = line[Data.Length..];
            }
        }

        int? made = (int?)JsonNode.Parse(last)!["usage"]?["completion_tokens"];
        return made == count ? first!.Value : throw new HttpRequestException($"The stream ended after {made} tokens of {count}: {last}");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
