using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using MoeOffload.Catalog;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.Http;

/// <summary>Represents a request to an endpoint of any API.</summary>
internal sealed class ApiRequest : IDisposable
{
    // Generations end at their deadline and keep their tokens. Only work without a deadline is canceled.
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(5);

    // The header of an answer that lists the fields that had no effect.
    public const string IgnoredHeader = "x-moe-ignored";

    // The header of an answer that lists the keywords of its schema that are not enforced.
    public const string UnenforcedHeader = "x-moe-schema-unenforced";
    private const int MostListed = 20;

    // The maximum length of a requested name that an error message repeats.
    private const int LongestName = 100;

    private readonly CancellationTokenSource _cancellation;
    private readonly FieldLedger _fields = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly List<string> _ignored = [];
    private JsonDocument? _body;
    private (int Length, string Path)? _contextLength;

    public ApiRequest(HttpContext http, string id, ApiServices services, CancellationToken stopping)
    {
        Http = http;
        Id = id;
        Services = services;
        Connection = new ClientConnection(http, Limits);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        _cancellation.CancelAfter(Limits.RequestTimeout + s_slack);
    }

    /// <summary>Gets the HTTP context of the request.</summary>
    public HttpContext Http { get; }

    /// <summary>Gets the connection to the client.</summary>
    public ClientConnection Connection { get; }

    /// <summary>Gets the id of the request in logs, answers and errors.</summary>
    public string Id { get; }

    /// <summary>Gets the services that all requests share.</summary>
    public ApiServices Services { get; }

    public RequestDefaults Options => Services.Options;

    public RequestLimits Limits => Services.Limits;

    public ModelHost Models => Services.Models;

    /// <summary>
    /// Gets the token that is canceled when the client disconnects, the request times out, or the grace time of a stopping server ends.
    /// </summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>Gets a value that indicates whether the request has timed out.</summary>
    public bool IsOverdue => Elapsed >= Limits.RequestTimeout;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Gets the remaining time, for <see cref="GenerationRequest.Deadline"/>.</summary>
    public TimeSpan TimeLeft => Limits.RequestTimeout - Elapsed is var left && left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1);

    /// <summary>Gets the stream of the answer, or null if none has been created. The progress of loading and errors are sent to it.</summary>
    public ResponseStream? Stream { get; private set; }

    /// <summary>Gets the name of the model, or null if it has not been acquired yet.</summary>
    public string? Model { get; private set; }

    /// <summary>Gets or sets the field that has the prompt, which errors about its length name.</summary>
    public string? PromptField { get; set; }

    /// <summary>Gets the images and other parts of the chat that are not text.</summary>
    public Attachments Attachments { get; } = new();

    /// <summary>Gets the number of prompt tokens, for the log.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>Gets the number of generated tokens, for the log.</summary>
    public int GeneratedTokens { get; private set; }

    /// <summary>Reads the body as a JSON object.</summary>
    /// <exception cref="ApiException">The body is not a JSON object, is too large, is nested too deeply, or does not arrive in time.</exception>
    public async Task<JsonFields> ReadJsonAsync()
    {
        _body = JsonBody.Parse(await RequestBody.ReadAsync(Http, Limits, Cancellation).ConfigureAwait(false));
        return new JsonFields(_body.RootElement, _fields);
    }

    /// <summary>
    /// Ends reading the body: fields that nothing has read are rejected if the server is strict; otherwise, they are counted, logged once for
    /// each client, and listed in a header of the answer.
    /// </summary>
    /// <exception cref="ApiException">The server is strict, and a field is unknown.</exception>
    public void EndReading()
    {
        string[] unread = [.. _fields.Unread()];
        if (Options.Strict && unread.Length > 0)
        {
            throw ApiException.Invalid($"Unknown parameter: '{unread[0]}'.", unread[0], "unknown_parameter");
        }

        Ignore([.. _fields.Ignored.Concat(unread).Distinct()]);
    }

    /// <summary>Reads the context length that a request asks for (<c>num_ctx</c>), which <see cref="AcquireAsync"/> provides if it can.</summary>
    /// <param name="fields">The object that has the field.</param>
    public void ReadContextLength(JsonFields fields)
    {
        const string Name = "num_ctx";
        _contextLength = fields.Integer(Name, 0) is > 0 and var length ? (length, fields.PathOf(Name)) : null;
    }

    /// <summary>Tells the client which parts of the schema of its answer are not enforced but checked afterwards.</summary>
    public void NoteUnenforced(JsonSchema? schema)
    {
        if (schema is { Unenforced.Count: > 0 })
        {
            Http.Response.Headers[UnenforcedHeader] = IgnoredFields.Safe(string.Join(", ", schema.Unenforced.Take(MostListed).Select(pointer => ShortText.Of(pointer, LongestName))));
        }
    }

    private void Ignore(string[] names)
    {
        if (names.Length == 0)
        {
            return;
        }

        Services.IgnoredFields.Note(Http.Request.Headers.UserAgent, names);
        if (!Http.Response.HasStarted)
        {
            _ignored.AddRange(names);
            Http.Response.Headers[IgnoredHeader] = IgnoredFields.Safe(string.Join(", ", _ignored.Take(MostListed)));
        }
    }

    /// <summary>Finds the model that a request names.</summary>
    /// <exception cref="ApiException">The model does not exist, or the name is ambiguous.</exception>
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

    private CatalogEntry FindModelOrFallback(string name)
    {
        try
        {
            return FindModel(name);
        }
        catch (ApiException) when (Models.Options.FallbackModel is not null)
        {
            return FindModel(Models.Options.FallbackModel);
        }
    }

    /// <summary>Checks, before a stream begins and a model is loaded, that the model reads what is in a chat beside text.</summary>
    /// <param name="name">The name of the model; null for the default model.</param>
    /// <param name="messages">The messages of the chat.</param>
    /// <exception cref="ApiException">The model does not exist, or the question has a part that it cannot read.</exception>
    public void CheckAttachments(string? name, IReadOnlyList<ChatMessage> messages)
    {
        if (Attachments.IsEmpty)
        {
            return;
        }

        CatalogEntry entry = FindModelOrFallback(name ?? Options.DefaultModel ?? throw ApiException.Missing("model"));
        bool readsImages;
        try
        {
            readsImages = Models.ReadsImages(entry);
        }
        catch (Exception error) when (error is MoeOffloadException or IOException or UnauthorizedAccessException)
        {
            // Loading the model reports the error.
            return;
        }

        Attachments.Resolve(messages, readsImages);
    }

    /// <summary>Acquires the model that a request names, and loads it if necessary. The progress is sent to <see cref="Stream"/>.</summary>
    /// <param name="name">The name of the model; null for the default model.</param>
    /// <exception cref="ApiException">The model does not exist.</exception>
    public async Task<ModelLease> AcquireAsync(string? name)
    {
        CatalogEntry entry = FindModelOrFallback(name ?? Options.DefaultModel ?? throw ApiException.Missing("model"));
        Task<(ModelLease Lease, bool IsLongEnough)> acquiring = Models.AcquireAsync(entry, _contextLength?.Length, Cancellation);
        try
        {
            while (Stream is not null && !acquiring.IsCompleted)
            {
                await Stream.ReportAsync(Models.GetStatus(entry)).ConfigureAwait(false);
                await Task.WhenAny(acquiring, Task.Delay(Options.ProgressInterval, Cancellation)).ConfigureAwait(false);
            }

            (ModelLease lease, bool isLongEnough) = await acquiring.ConfigureAwait(false);
            Model = lease.Name;
            if (!isLongEnough)
            {
                Ignore([_contextLength!.Value.Path]);
            }

            return lease;
        }
        catch when (!acquiring.IsFaulted)
        {
            // The client is gone, so a lease that is acquired later must be released.
            _ = acquiring.ContinueWith(
                done => done.Result.Lease.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>
    /// Gets the name of the model for an API whose requests need not name one: the default model, the loaded one, or the only one there is.
    /// </summary>
    /// <param name="name">The name in the request, or null.</param>
    public string? OnlyModel(string? name)
    {
        if (!string.IsNullOrEmpty(name) || Options.DefaultModel is not null)
        {
            return string.IsNullOrEmpty(name) ? null : name;
        }

        IReadOnlyList<(ModelStatus Status, ServedModel Model)> loaded = Models.GetLoaded();
        if (loaded.Count == 1)
        {
            return loaded[0].Status.Entry.Name;
        }

        return Models.List() is [var only] ? only.Entry.Name : null;
    }

    /// <summary>Unloads the model that a request names, unless other requests use it.</summary>
    /// <returns>The model's name, and whether it was loaded.</returns>
    /// <exception cref="ApiException">The model does not exist.</exception>
    /// <exception cref="ModelInUseException">Other requests use the model.</exception>
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

    /// <summary>Returns the maximum number of tokens of an answer.</summary>
    /// <param name="asked">The number in the request; null if it is not specified.</param>
    public int? LimitTokens(int? asked) => Limits.MaxTokens is { } most ? Math.Min(asked ?? most, most) : asked;

    /// <summary>Checks that a prompt does not exceed the limit of the server.</summary>
    /// <exception cref="ApiException">The prompt is too long.</exception>
    public void CheckPrompt(int tokens)
    {
        if (Limits.MaxPromptTokens is { } most && tokens > most)
        {
            throw ApiException.ContextFull(
                string.Create(CultureInfo.InvariantCulture, $"The prompt has {tokens} tokens, but the server accepts at most {most}. Shorten the prompt."), PromptField, (tokens, most));
        }
    }

    /// <summary>Counts a generation that has ended, whether or not it succeeded.</summary>
    /// <param name="statistics">The statistics; null if the generation never started.</param>
    public void Count(GenerationStatistics? statistics)
    {
        if (statistics is not null)
        {
            PromptTokens += statistics.PromptTokens;
            GeneratedTokens += statistics.GeneratedTokens;
        }
    }

    /// <summary>Counts tokens for which embeddings were computed.</summary>
    public void CountEmbedded(int tokens) => PromptTokens += tokens;

    /// <summary>Logs a prompt or an answer, if the options ask for it.</summary>
    public void LogText(string kind, string text)
    {
        if (Options.LogPrompts)
        {
            ApiLog.Text(Services.Logger, kind, text);
        }
    }

    /// <summary>Makes the answer a stream of server-sent events, without sending anything yet.</summary>
    public SseWriter MakeEvents()
    {
        var events = new SseWriter(this);
        Stream = events;
        return events;
    }

    /// <summary>Makes the answer a stream with one JSON value per line, without sending anything yet.</summary>
    public JsonLinesWriter MakeLines()
    {
        var lines = new JsonLinesWriter(this);
        Stream = lines;
        return lines;
    }

    /// <summary>Sends JSON as the answer.</summary>
    public Task WriteJsonAsync<T>(T value, JsonTypeInfo<T> type, int status = 200) =>
        WriteAsync(JsonSerializer.SerializeToUtf8Bytes(value, type), status);

    /// <summary>Sends the bytes of JSON as the answer.</summary>
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

    private static ApiException NotFound(string name) => ApiException.ModelNotFound(ShortText.Of(name, LongestName));
}
