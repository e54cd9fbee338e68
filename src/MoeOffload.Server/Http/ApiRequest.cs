using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>A request to an endpoint, with what endpoints of all APIs need to answer it.</summary>
internal sealed class ApiRequest : IDisposable
{
    // Generations end by their deadline, with what they have; only what has none is cancelled.
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _cancellation;
    private readonly long _start = Stopwatch.GetTimestamp();
    private JsonDocument? _body;

    public ApiRequest(HttpContext http, string id, ApiServices services, CancellationToken stopping)
    {
        Http = http;
        Id = id;
        Services = services;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        _cancellation.CancelAfter(Options.RequestTimeout + s_slack);
    }

    /// <summary>The connection's side.</summary>
    public HttpContext Http { get; }

    /// <summary>What logs, answers and errors name it by.</summary>
    public string Id { get; }

    /// <summary>What all requests share.</summary>
    public ApiServices Services { get; }

    public MoeServerOptions Options => Services.Options;

    public ModelHost Models => Services.Models;

    /// <summary>Cancelled when the client is gone, the time is over, or the server stops and the grace time is over.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Whether it took longer than it may.</summary>
    public bool IsOverdue => Elapsed >= Options.RequestTimeout;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>The time that a generation may take, for <see cref="GenerationRequest.Deadline"/>.</summary>
    public TimeSpan TimeLeft => Options.RequestTimeout - Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1);

    /// <summary>The stream that answers it, once one was made; it is told of errors.</summary>
    public ResponseStream? Stream { get; private set; }

    /// <summary>The model that answers, once it was acquired.</summary>
    public string? Model { get; private set; }

    /// <summary>Tokens of prompts, for the log.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Tokens of answers, for the log.</summary>
    public int GeneratedTokens { get; private set; }

    /// <summary>Reads the body as a JSON object.</summary>
    /// <exception cref="ApiException">It is none, too large, too deep, or takes too long to arrive.</exception>
    public async Task<JsonFields> ReadJsonAsync()
    {
        IHttpMaxRequestBodySizeFeature? size = Http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (size is { IsReadOnly: false })
        {
            size.MaxRequestBodySize = Options.MaxBodyBytes;
        }

        _body = JsonBody.Parse(await ReadBodyAsync().ConfigureAwait(false));
        return new JsonFields(_body.RootElement);
    }

    /// <summary>Gets the model that a request names, loading it if nobody has yet.</summary>
    /// <param name="name">Its name; null for the default one.</param>
    /// <param name="stream">Told how far the load is, at once and then from time to time, where the model is not loaded yet.</param>
    /// <exception cref="ApiException">There is no such model, or it cannot be loaded.</exception>
    public Task<ModelLease> AcquireAsync(string? name, ResponseStream? stream = null) =>
        AcquireAsync(name, stream is null ? null : stream.ReportAsync);

    /// <inheritdoc cref="AcquireAsync(string?, ResponseStream?)"/>
    /// <param name="name">Its name; null for the default one.</param>
    /// <param name="report">Told how far the load is, at once and then from time to time, where the model is not loaded yet.</param>
    public async Task<ModelLease> AcquireAsync(string? name, Func<ModelStatus, Task>? report)
    {
        name ??= Options.DefaultModel ?? throw ApiException.Invalid("Missing required parameter: 'model'.", "model", "missing_required_parameter");
        CatalogEntry entry = Models.Find(name);
        Task<ModelLease> acquiring = Models.AcquireAsync(entry, Cancellation);
        try
        {
            while (report is not null && !acquiring.IsCompleted)
            {
                await report(Models.GetStatus(entry)).ConfigureAwait(false);
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

    /// <summary>The most tokens that an answer may have.</summary>
    /// <param name="asked">What the request asks for; null where it does not.</param>
    public int? LimitTokens(int? asked) => Options.MaxTokens is { } most ? Math.Min(asked ?? most, most) : asked;

    /// <summary>Refuses a prompt that is longer than the server takes.</summary>
    /// <param name="tokens">Its tokens.</param>
    /// <exception cref="ApiException">It is.</exception>
    public void CheckPrompt(int tokens)
    {
        if (Options.MaxPromptTokens is { } most && tokens > most)
        {
            throw ApiException.Invalid($"The prompt has {tokens} tokens, the server takes {most}: shorten it.", null, "context_length_exceeded");
        }
    }

    /// <summary>Counts a generation that has ended, whichever way.</summary>
    /// <param name="statistics">What it cost; null where it never began.</param>
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

    /// <summary>Logs a prompt or an answer, where the server was asked to.</summary>
    public void LogText(string kind, string text)
    {
        if (Options.LogPrompts)
        {
            ApiLog.Text(Services.Logger, kind, text);
        }
    }

    /// <summary>Answers as server-sent events. Nothing is sent yet.</summary>
    public SseWriter MakeEvents()
    {
        var events = new SseWriter(this);
        Stream = events;
        return events;
    }

    /// <summary>Answers as one JSON value a line. Nothing is sent yet.</summary>
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
    public async Task WriteAsync(ReadOnlyMemory<byte> json, int status = 200)
    {
        Http.Response.StatusCode = status;
        Http.Response.ContentType = "application/json";
        Http.Response.ContentLength = json.Length;
        try
        {
            await Http.Response.Body.WriteAsync(json, CancellationToken.None).AsTask().WaitAsync(Options.WriteTimeout, Http.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or TimeoutException)
        {
            Http.Abort();
            throw new ClientGoneException("The client is gone, or took nothing of the answer for too long.", error);
        }
    }

    public void Dispose()
    {
        _body?.Dispose();
        _cancellation.Dispose();
    }

    private async Task<ReadOnlyMemory<byte>> ReadBodyAsync()
    {
        PipeReader reader = Http.Request.BodyReader;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        // A read that a token cancels stays pending, and Kestrel then stumbles over it.
        using CancellationTokenRegistration registration = limit.Token.UnsafeRegister(static reader => ((PipeReader)reader!).CancelPendingRead(), reader);
        limit.CancelAfter(Options.BodyTimeout);
        var body = new ArrayBufferWriter<byte>();
        try
        {
            ReadResult read;
            do
            {
                read = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    reader.AdvanceTo(read.Buffer.Start);
                    Cancellation.ThrowIfCancellationRequested();
                    throw new ApiException(408, "invalid_request_error", "request_timeout", $"The body did not arrive within {Options.BodyTimeout.TotalSeconds} s.");
                }

                foreach (ReadOnlyMemory<byte> part in read.Buffer)
                {
                    body.Write(part.Span);
                }

                reader.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception error) when (
            error is not (ApiException or OperationCanceledException or BadHttpRequestException) && !Http.RequestAborted.IsCancellationRequested)
        {
            // Some chunk sizes end Kestrel's reading with exceptions of other kinds.
            throw new ApiException(400, "invalid_request_error", "invalid_request", "The body cannot be read: its length or chunks are malformed.", null, error);
        }

        return body.WrittenMemory;
    }
}
