using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using OpenTelemetry.Metrics;

namespace MoeOffload.Server.Tests;

/// <summary>A server on a free port of loopback, with the demo model unless others are named.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(WebApplication app, RecordedLog log)
    {
        App = app;
        Log = log;
        Address = new Uri(app.Urls.First());

        // Leaving an answer closes the connection at once.
        var handler = new SocketsHttpHandler { MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero };
        Http = new HttpClient(handler) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>The demo model's name.</summary>
    public const string Demo = "tiny-moe";

    /// <summary>A prompt with a long answer of the demo model that is always the same, because no two tokens are almost equally probable.</summary>
    public const string ClearQuestion = "What is 3 + 16?";

    public WebApplication App { get; }

    public RecordedLog Log { get; }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public ModelHost Models => App.Services.GetRequiredService<ModelHost>();

    /// <summary>The statistics of the demo model's session.</summary>
    public SessionStatistics Statistics => Models.GetLoaded().Single(model => model.Status.Entry.Name == Demo).Model.Session!.Statistics;

    public static Task<TestServer> StartAsync(Action<MoeServerOptions>? configure = null, params IReadOnlyList<string> models) =>
        StartAtAsync("http://127.0.0.1:0", configure, models);

    public static Task<TestServer> StartAtAsync(string url, Action<MoeServerOptions>? configure = null, params IReadOnlyList<string> models) =>
        StartAsync(new ModelCatalog(new ModelCatalogOptions { Paths = models.Count > 0 ? models : [DemoModel.Path] }), configure, url: url);

    /// <summary>Starts a server as part of an application.</summary>
    /// <param name="catalog">Its models.</param>
    /// <param name="configure">Its options.</param>
    /// <param name="build">Adds further services to the application.</param>
    /// <param name="map">Maps further endpoints.</param>
    /// <param name="url">Where it listens.</param>
    public static async Task<TestServer> StartAsync(
        ModelCatalog catalog,
        Action<MoeServerOptions>? configure = null,
        Action<WebApplicationBuilder>? build = null,
        Action<WebApplication>? map = null,
        string url = "http://127.0.0.1:0")
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(url);
        var log = new RecordedLog();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Debug).AddProvider(log);
        build?.Invoke(builder);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(ServerMeter.Name, MoeTelemetry.MeterName).AddPrometheusExporter());
        builder.Services.AddMoeOffload(catalog, options =>
        {
            options.Models.Context = options.Models.Context with
            {
                ContextLength = 512,
                SequenceCount = 4,
                Threads = new ThreadOptions { Decode = 1, Prompt = 1 },
            };

            // Otherwise, the system would take whole answers off the server before anyone reads them.
            options.Limits.SendBufferBytes = 8192;
            configure?.Invoke(options);
        });
        WebApplication app = builder.Build();
        app.MapMoeOffload();
        app.MapPrometheusScrapingEndpoint("/metrics").RequireMoeOffloadAccess();
        map?.Invoke(app);
        await app.StartAsync();
        return new TestServer(app, log);
    }

    /// <summary>Loads the demo model, so that what follows does not wait for that.</summary>
    public async Task<TestServer> LoadedAsync()
    {
        (await Models.AcquireAsync(Demo)).Dispose();
        return this;
    }

    /// <summary>Posts JSON.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, JsonNode body, CancellationToken cancellationToken = default) =>
        Http.PostAsync(path, JsonContent.Create(body), cancellationToken);

    /// <summary>Posts JSON, and reads the JSON of a good answer.</summary>
    public async Task<JsonNode> AskAsync(string path, JsonNode body)
    {
        using HttpResponseMessage response = await PostAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new HttpRequestException($"{(int)response.StatusCode}: {text}");
    }

    /// <summary>Posts JSON, and reads the error that answers it.</summary>
    public async Task<(int Status, JsonNode Error)> FailAsync(string path, JsonNode body)
    {
        using HttpResponseMessage response = await PostAsync(path, body);
        JsonNode answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return ((int)response.StatusCode, answer["error"] ?? throw new HttpRequestException($"{(int)response.StatusCode}: {answer}"));
    }

    /// <summary>Posts JSON, and reads the data of the events that answer it.</summary>
    public async Task<List<string>> StreamAsync(string path, JsonNode body)
    {
        body["stream"] = true;
        using HttpResponseMessage response = await SendAsync(path, body);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        List<string> data = [];
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                data.Add(line["data: ".Length..]);
            }
        }

        return data;
    }

    /// <summary>Posts JSON, and returns once the answer has begun.</summary>
    public Task<HttpResponseMessage> SendAsync(string path, JsonNode body, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public HttpClient Client(string key)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.DisposeAsync();
    }

    /// <summary>A chat of one question.</summary>
    public static JsonObject Chat(string question, int maxTokens = 24) => new()
    {
        ["model"] = Demo,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
        ["max_tokens"] = maxTokens,
        ["temperature"] = 0,
    };

    /// <summary>A chat that goes on until the context is full.</summary>
    public static JsonObject Endless(bool stream) => new()
    {
        ["model"] = Demo,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Tell me a story." }),
        ["ignore_eos"] = true,
        ["stream"] = stream,
    };
}
