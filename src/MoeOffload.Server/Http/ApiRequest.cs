using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using MoeOffload.Catalog;

namespace MoeOffload.Server.Http;

/// <summary>Represents a request to an endpoint, with what the endpoints of all APIs need to answer it.</summary>
internal sealed class ApiRequest : IDisposable
{
    // Generations end by their deadline, with what they have; only what has none is cancelled.
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(5);

    // Of what a client asked for, as much as an error repeats.
    private const int LongestName = 100;

    private readonly CancellationTokenSource _cancellation;
    private readonly long _start = Stopwatch.GetTimestamp();
    private JsonDocument? _body;

    public ApiRequest(HttpContext http, string id, ApiServices services, CancellationToken stopping)
    {
        Http = http;
        Id = id;
        Services = services;
        Connection = new ClientConnection(http, Limits.WriteTimeout);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        _cancellation.CancelAfter(Limits.RequestTimeout + s_slack);
    }

    /// <summary>Gets the request as ASP.NET Core has it.</summary>
    public HttpContext Http { get; }

    /// <summary>Gets the client's side of it.</summary>
    public ClientConnection Connection { get; }

    /// <summary>Gets what logs, answers and errors name it by.</summary>
    public string Id { get; }

    /// <summary>Gets what all requests share.</summary>
    public ApiServices Services { get; }

    public RequestDefaults Options => Services.Options;

    public RequestLimits Limits => Services.Limits;

    public ModelHost Models => Services.Models;

    /// <summary>Gets what is cancelled when the client is gone, the time is over, or the server stops and the grace time is over.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Gets whether it took longer than it may.</summary>
    public bool IsOverdue => Elapsed >= Limits.RequestTimeout;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Gets the time that a generation may take, for <see cref="GenerationRequest.Deadline"/>.</summary>
    public TimeSpan TimeLeft => Limits.RequestTimeout - Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1);

    /// <summary>Gets the stream that answers it, once one was made. Loads and errors are reported to it.</summary>
    public ResponseStream? Stream { get; private set; }

    /// <summary>Gets the model that answers, once it was acquired.</summary>
    public string? Model { get; private set; }

    /// <summary>Gets the tokens of prompts, for the log.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Gets the tokens of answers, for the log.</summary>
    public int GeneratedTokens { get; private set; }

    /// <summary>Reads the body as a JSON object.</summary>
    /// <exception cref="ApiException">It is not one, is too large or too deep, or does not arrive.</exception>
    public async Task<JsonFields> ReadJsonAsync()
    {
        _body = JsonBody.Parse(await RequestBody.ReadAsync(Http, Limits, Cancellation).ConfigureAwait(false));
        return new JsonFields(_body.RootElement);
    }

    /// <summary>Finds the model that a request names.</summary>
    /// <exception cref="ApiException">There is no such model, or it is not clear which one is meant.</exception>
    public CatalogEntry FindModel(string name)
    {
        try
        {
            return Models.Find(name);
        }
        catch (ModelNotFoundException)
        {
            throw NotFound(name);
        }
    }

    /// <summary>Gets the model that a request names, loading it if it is not loaded yet. <see cref="Stream"/> is told how far the load is.</summary>
    /// <param name="name">Its name; null for the default one.</param>
    /// <exception cref="ApiException">There is no such model.</exception>
    public async Task<ModelLease> AcquireAsync(string? name)
    {
        CatalogEntry entry = FindModel(name ?? Options.DefaultModel ?? throw ApiException.Missing("model"));
        Task<ModelLease> acquiring = Models.AcquireAsync(entry, Cancellation);
        try
        {
            while (Stream is not null && !acquiring.IsCompleted)
            {
                await Stream.ReportAsync(Models.GetStatus(entry)).ConfigureAwait(false);
                await Task.WhenAny(acquiring, Task.Delay(Options.ProgressInterval, Cancellation)).ConfigureAwait(false);
            }

            ModelLease lease = await acquiring.ConfigureAwait(false);
            Model = lease.Name;
            return lease;
        }
        catch when (!acquiring.IsFaulted)
        {
            // The client is gone; the lease that still comes is nobody's.
            _ = acquiring.ContinueWith(
                done => done.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Unloads the model that a request names, unless others use it.</summary>
    /// <returns>The model's name, and whether it was loaded.</returns>
    /// <exception cref="ApiException">There is no such model.</exception>
    /// <exception cref="ModelInUseException">Others use it.</exception>
    public async Task<(string Name, bool WasLoaded)> UnloadAsync(string name)
    {
        try
        {
            return await Models.UnloadNamedAsync(name, Cancellation).ConfigureAwait(false);
        }
        catch (ModelNotFoundException)
        {
            throw NotFound(name);
        }
    }

    /// <summary>Gets the most tokens that an answer may have.</summary>
    /// <param name="asked">What the request asks for; null if it does not say.</param>
    public int? LimitTokens(int? asked) => Limits.MaxTokens is { } most ? Math.Min(asked ?? most, most) : asked;

    /// <summary>Refuses a prompt that is longer than the server accepts.</summary>
    /// <exception cref="ApiException">It is.</exception>
    public void CheckPrompt(int tokens)
    {
        if (Limits.MaxPromptTokens is { } most && tokens > most)
        {
            throw ApiException.Invalid(
                string.Create(CultureInfo.InvariantCulture, $"The prompt has {tokens} tokens, and the server accepts {most}: shorten it."), null, "context_length_exceeded");
        }
    }

    /// <summary>Counts a generation that has ended, whichever way.</summary>
    /// <param name="statistics">What it cost; null if it never began.</param>
    public void Count(GenerationStatistics? statistics)
    {
        if (statistics is not null)
        {
            PromptTokens += statistics.PromptTokens;
            GeneratedTokens += statistics.GeneratedTokens;
            Services.Metrics.Count(Model ?? string.Empty, statistics);
        }
    }

    /// <summary>Counts tokens that became embeddings.</summary>
    public void CountEmbedded(int tokens)
    {
        PromptTokens += tokens;
        Services.Metrics.CountEmbedded(Model ?? string.Empty, tokens);
    }

    /// <summary>Logs a prompt or an answer, if the options ask for it.</summary>
    public void LogText(string kind, string text)
    {
        if (Options.LogPrompts)
        {
            ApiLog.Text(Services.Logger, kind, text);
        }
    }

    /// <summary>Makes the answer a stream of server-sent events. Nothing is sent yet.</summary>
    public SseWriter MakeEvents()
    {
        var events = new SseWriter(this);
        Stream = events;
        return events;
    }

    /// <summary>Makes the answer a stream of one JSON value a line. Nothing is sent yet.</summary>
    public JsonLinesWriter MakeLines()
    {
        var lines = new JsonLinesWriter(this);
        Stream = lines;
        return lines;
    }

    /// <summary>Answers with JSON.</summary>
    public Task WriteJsonAsync<T>(T value, JsonTypeInfo<T> type, int status = 200) =>
        WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), status);

    /// <summary>Answers with bytes of JSON.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> json, int status = 200)
    {
        Http.Response.StatusCode = status;
        Http.Response.ContentType = "application/json";
        Http.Response.ContentLength = json.Length;
        return Connection.SendAsync(json);
    }

    public void Dispose()
    {
        _body?.Dispose();
        _cancellation.Dispose();
    }

    private static ApiException NotFound(string name) =>
        ApiException.ModelNotFound(name.Length > LongestName ? string.Concat(name.AsSpan(0, LongestName), "…") : name);
}
