using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MoeOffload.Server.Http;

/// <summary>
/// Represents an answer that is sent as it grows. What a client has not read yet is bounded by the connection's buffer: then its own answer
/// waits, and if it reads nothing for <see cref="RequestLimits.WriteTimeout"/> its connection is closed. One writer at a time.
/// </summary>
internal abstract class ResponseStream : IAsyncDisposable
{
    private const int MostGathered = 16;

    private readonly HttpResponse _response;
    private readonly ClientConnection _connection;
    private readonly string _contentType;
    private Utf8JsonWriter? _json;
    private bool _isGathering;
    private int _gathered;

    protected ResponseStream(ApiRequest request, string contentType)
    {
        _response = request.Http.Response;
        _connection = request.Connection;
        _contentType = contentType;
    }

    protected PipeWriter Writer => _connection.Writer;

    /// <summary>Sends status 200 and the headers; the first write does so too.</summary>
    public Task StartAsync()
    {
        Prepare();
        return SendAsync();
    }

    /// <summary>
    /// Reads what the answer is made of. What is sent meanwhile goes out together if more of it is there already: a server that is behind its
    /// models has fewer packets to send, and catches up.
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

    /// <summary>Reports how far the load of the model is that the answer waits for.</summary>
    public abstract Task ReportAsync(ModelStatus status);

    /// <summary>Ends the stream with an error.</summary>
    /// <param name="error">The error's JSON.</param>
    /// <param name="format">How the API tells of errors.</param>
    public abstract Task FailAsync(byte[] error, ErrorFormat format);

    public ValueTask DisposeAsync() => _json?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected void Prepare()
    {
        if (!_response.HasStarted && _response.ContentType is null)
        {
            _response.ContentType = _contentType;
            _response.Headers.CacheControl = "no-store";

            // Proxies such as nginx would otherwise hold the stream back.
            _response.Headers["X-Accel-Buffering"] = "no";
            _response.HttpContext.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        }
    }

    protected void WriteJson<T>(T value, JsonTypeInfo<T> type)
    {
        _json ??= new Utf8JsonWriter(Writer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        _json.Reset(Writer);
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
    }

    /// <summary>Sends what was written, at once unless it is gathered.</summary>
    /// <exception cref="ClientGoneException">The client is gone, or took nothing for too long.</exception>
    protected Task SendAsync() => _isGathering && ++_gathered < MostGathered ? Task.CompletedTask : FlushAsync();

    private async ValueTask<bool> MoveNextAsync<T>(IAsyncEnumerator<T> reader)
    {
        ValueTask<bool> next = reader.MoveNextAsync();
        if (next.IsCompleted || _gathered == 0)
        {
            return await next.ConfigureAwait(false);
        }

        Task<bool> reading = next.AsTask();
        try
        {
            await FlushAsync().ConfigureAwait(false);
        }
        catch
        {
            // What reads cannot be disposed before it has ended, which it does now that nobody wants the answer.
            _connection.Abort();
            await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await reading.ConfigureAwait(false);
    }

    private Task FlushAsync()
    {
        _gathered = 0;
        return _connection.FlushAsync();
    }
}
