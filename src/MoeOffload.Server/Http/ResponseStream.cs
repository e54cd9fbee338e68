using System.Diagnostics;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MoeOffload.Server.Http;

/// <summary>
/// Represents an answer that is sent while it is generated. Unread data is limited to the connection's buffer. If the buffer is full, only this
/// answer waits, and if the client reads nothing for <see cref="RequestLimits.WriteTimeout"/>, its connection is closed. Only one writer at a
/// time is supported.
/// </summary>
internal abstract class ResponseStream : IAsyncDisposable
{
    private const int MostGathered = 16;

    // An answer that begins within this time, or fails, is not preceded by a sign of life.
    private static readonly TimeSpan s_beginning = TimeSpan.FromMilliseconds(250);

    private readonly HttpResponse _response;
    private readonly ClientConnection _connection;
    private readonly string _contentType;
    private Utf8JsonWriter? _json;
    private Task? _due;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _lastSent;
    private bool _hasSent;
    private bool _isGathering;
    private int _gathered;

    protected ResponseStream(ApiRequest request, string contentType)
    {
        _response = request.Http.Response;
        _connection = request.Connection;
        _contentType = contentType;
        _lastSent = Stopwatch.GetTimestamp();
        Interval = request.Options.KeepAliveInterval;
    }

    /// <summary>Gets the number of values that were sent, without signs of life in another form.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the time since the stream was created.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(_start);

    /// <summary>Gets or sets the time without an answer after which a sign of life is sent.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>Gets or sets the function that sends a sign of life in the format of the API; <see langword="null"/> for the usual one.</summary>
    public Func<Task>? SignOfLife { get; set; }

    protected PipeWriter Writer => _connection.Writer;

    /// <summary>Sends status 200 and the headers, which otherwise happens with the first write.</summary>
    public Task StartAsync()
    {
        Prepare();
        return SendAsync();
    }

    /// <summary>
    /// Enumerates the items of the answer. If more items are already available, they are sent together, so that a server that is slower than its
    /// models sends fewer packets and catches up.
    /// </summary>
    public async IAsyncEnumerable<T> GatherAsync<T>(IAsyncEnumerable<T> items)
    {
        IAsyncEnumerator<T> reader = items.GetAsyncEnumerator(CancellationToken.None);
        await using (reader.ConfigureAwait(false))
        {
            _isGathering = true;
            try
            {
                while (await MoveNextAsync(reader).ConfigureAwait(false))
                {
                    yield return reader.Current;
                }
            }
            finally
            {
                _isGathering = false;
            }
        }
    }

    /// <summary>Waits for the preparation of an answer, and sends signs of life if it takes long.</summary>
    public async Task WaitAsync(Task preparation)
    {
        while (await Task.WhenAny(preparation, Task.Delay(Interval)).ConfigureAwait(false) != preparation)
        {
            await SendSignAsync().ConfigureAwait(false);
        }

        await preparation.ConfigureAwait(false);
    }

    /// <summary>Sends the progress of loading the model that the answer is waiting for.</summary>
    public abstract Task ReportAsync(ModelStatus status);

    /// <summary>Ends the stream with an error.</summary>
    /// <param name="error">The JSON of the error.</param>
    /// <param name="format">The error format of the API.</param>
    public abstract Task FailAsync(byte[] error, ErrorFormat format);

    public ValueTask DisposeAsync() => _json?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected void Prepare()
    {
        if (!_response.HasStarted && _response.ContentType is null)
        {
            _response.ContentType = _contentType;
            _response.Headers.CacheControl = "no-store";

            // Otherwise, proxies such as nginx buffer the stream.
            _response.Headers["X-Accel-Buffering"] = "no";
            _response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        }
    }

    protected void WriteJson<T>(T value, JsonTypeInfo<T> type)
    {
        _json ??= new Utf8JsonWriter(Writer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        Count++;
        _json.Reset(Writer);
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
    }

    /// <summary>Sends the buffered data immediately, unless items are being combined.</summary>
    /// <exception cref="ClientGoneException">The client has disconnected, or makes no progress.</exception>
    protected Task SendAsync() => _isGathering && ++_gathered < MostGathered ? Task.CompletedTask : FlushAsync();

    /// <summary>Sends a sign of life in the usual form.</summary>
    protected abstract Task SendUsualSignAsync();

    private async ValueTask<bool> MoveNextAsync<T>(IAsyncEnumerator<T> reader)
    {
        ValueTask<bool> next = reader.MoveNextAsync();
        if (next.IsCompleted && !IsSilent)
        {
            return await next.ConfigureAwait(false);
        }

        Task<bool> reading = next.AsTask();
        try
        {
            if (_gathered > 0)
            {
                await FlushAsync().ConfigureAwait(false);
            }

            await KeepAliveAsync(reading).ConfigureAwait(false);
        }
        catch
        {
            // The enumerator must not be disposed before its read has ended. Aborting the connection ends it.
            _connection.Abort();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await reading.ConfigureAwait(false);
    }

    // A model can also generate for a long time without an output, such as reasoning that the client does not want to see.
    private bool IsSilent => _hasSent && Stopwatch.GetElapsedTime(_lastSent) >= Interval;

    private async Task KeepAliveAsync(Task reading)
    {
        do
        {
            if (IsSilent)
            {
                await SendSignAsync().ConfigureAwait(false);
            }

            // The task of the delay serves many reads, since most of them end before it.
            _due ??= Task.Delay(_hasSent ? Interval - Stopwatch.GetElapsedTime(_lastSent) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero : s_beginning);
            if (reading.IsCompleted || await Task.WhenAny(reading, _due).ConfigureAwait(false) == reading)
            {
                return;
            }

            _due = null;
            if (!_hasSent)
            {
                await SendSignAsync().ConfigureAwait(false);
            }
        }
        while (!reading.IsCompleted);
    }

    private async Task SendSignAsync()
    {
        await (SignOfLife?.Invoke() ?? SendUsualSignAsync()).ConfigureAwait(false);
        await FlushAsync().ConfigureAwait(false);
    }

    private Task FlushAsync()
    {
        _gathered = 0;
        _hasSent = true;
        _lastSent = Stopwatch.GetTimestamp();
        return _connection.FlushAsync();
    }
}
