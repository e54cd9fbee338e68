using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Server;

namespace MoeOffload.Cli.Measurement;

/// <summary>The server as <c>moe serve</c> has it, on loopback, with a model loaded, and a client that takes the time.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private const string Data = "data: ";

    private readonly WebApplication _application;
    private readonly HttpClient _http;
    private readonly string _model;

    private BenchServer(WebApplication application, string model)
    {
        _application = application;
        _model = model;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(application.Urls.First()), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Starts a server and loads a model in it.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="load">How it is loaded.</param>
    /// <param name="context">Its context.</param>
    /// <param name="cancellationToken">Ends the load.</param>
    /// <exception cref="LoadFailedException">The model cannot be loaded.</exception>
    public static async Task<BenchServer> StartAsync(string path, ModelOptions load, ContextOptions context, CancellationToken cancellationToken)
    {
        const string Url = "http://127.0.0.1:0";
        var catalog = new ModelCatalog(new ModelCatalogOptions { Paths = [path] });
        string name = catalog.Discover() is [var entry, ..] ? entry.Name : throw new UsageException($"{path} is a part of a split model: name its first part.");
        WebApplication application = ServerHost.Build(catalog, Configure, Url, logging => logging.ClearProviders());
        try
        {
            await ServerHost.StartAsync(application, Url, cancellationToken).ConfigureAwait(false);
            await LoadAsync(application.Services.GetRequiredService<ModelHost>(), name, cancellationToken).ConfigureAwait(false);
            return new BenchServer(application, name);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        void Configure(MoeServerOptions options)
        {
            options.Models.Load = load;
            options.Models.Context = context;
            options.Limits.RequestTimeout = TimeSpan.FromDays(1);
        }
    }

    /// <summary>Has the model continue a prompt, past any end of its text.</summary>
    /// <exception cref="HttpRequestException">The server refused, or answered something else.</exception>
    public async Task<CompletionTiming> AskAsync(
        string prompt, int maxTokens, float temperature, uint seed, bool stream, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["model"] = _model,
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

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task LoadAsync(ModelHost host, string name, CancellationToken cancellationToken)
    {
        try
        {
            (await host.AcquireAsync(name, cancellationToken).ConfigureAwait(false)).Dispose();
        }
        catch (Exception error) when (error is ModelLoadException or ModelMemoryException)
        {
            throw new LoadFailedException(error);
        }
    }

    private static HttpRequestException Wrong(string what) => new($"The server did not answer as it must: {what}");
}
