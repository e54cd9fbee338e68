using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using MoeOffload.Chat;
using MoeOffload.Games.Brains;

namespace MoeOffload.Games;

/// <summary>Answers for characters with a model on a server that has OpenAI's API for chats, such as <c>moe serve</c>.</summary>
public sealed class RemoteBrain : ICharacterBrain
{
    private const int MostErrorCharacters = 400;

    // Rather too many, because what does not fit is an error of the server.
    private const int BytesPerToken = 3;

    private readonly HttpClient _http;
    private readonly RemoteBrainOptions _options;
    private readonly Uri _address;

    /// <summary>Initializes a new instance of the <see cref="RemoteBrain"/> class.</summary>
    /// <param name="http">The client, which stays the caller's. Its timeout applies to the time until an answer begins.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    public RemoteBrain(HttpClient http, RemoteBrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ParallelAnswers, 1, nameof(options.ParallelAnswers));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ContextLength ?? 1, 1, nameof(options.ContextLength));
        if (!options.Endpoint.IsAbsoluteUri || options.Endpoint.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"'{options.Endpoint}' is no address of a server. Use one such as http://127.0.0.1:8080/v1.", nameof(options));
        }

        _http = http;
        _options = options;
        _address = new Uri($"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/chat/completions");
    }

    /// <inheritdoc/>
    public int? ContextLength => _options.ContextLength;

    /// <inheritdoc/>
    public int ParallelAnswers => _options.ParallelAnswers;

    /// <summary>Estimates the tokens of a text: one for three bytes of UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    public Task<int> CountTokensAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Task.FromResult((Encoding.UTF8.GetByteCount(text) + BytesPerToken - 1) / BytesPerToken);
    }

    /// <summary>Does nothing: a server has a cache of its own, and may charge for each request.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="options">The options.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    public Task WarmUpAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>
    /// Requests an answer. The options of the context, templates, grammars and priorities are not sent. An answer that has reached its deadline ends with what
    /// has arrived.
    /// </summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="options">The options.</param>
    /// <param name="cancellationToken">A token that ends the answer.</param>
    /// <exception cref="InferenceException">The server cannot be reached, refuses the request, or ends the answer early. Reading the answer throws it.</exception>
    public async IAsyncEnumerable<ChatUpdate> AnswerAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(options);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.Deadline is { } deadline)
        {
            limit.CancelAfter(deadline);
        }

        var answer = new CompletionReader();
        using (HttpResponseMessage? response = await WithinAsync(() => SendAsync(messages, options, limit.Token), cancellationToken).ConfigureAwait(false))
        {
            using Stream? stream = response is null
                ? null
                : await WithinAsync(() => response.Content.ReadAsStreamAsync(limit.Token), cancellationToken).ConfigureAwait(false);
            using StreamReader? lines = stream is null ? null : new StreamReader(stream);
            while (lines is not null && !answer.IsComplete
                && await WithinAsync(() => ReadAsync(lines, answer, limit.Token), cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (answer.Read(line) is { } update)
                {
                    yield return update;
                }
            }
        }

        yield return answer.Finish();
    }

    // Some servers do not send the last event.
    private async Task<string> ReadAsync(StreamReader lines, CompletionReader answer, CancellationToken cancellationToken) =>
        await lines.ReadLineAsync(cancellationToken).ConfigureAwait(false)
        ?? (answer.HasReason ? CompletionReader.LastLine : throw new InferenceException($"{_address} ended the answer early. Check the log of the server."));

    // Returns null if the deadline was reached.
    private async Task<T?> WithinAsync<T>(Func<Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            // HttpClient cancels as well if its own time is over.
            return error.InnerException is TimeoutException
                ? throw new InferenceException($"{_address} did not answer within {_http.Timeout}. Increase HttpClient.Timeout, or set a deadline for the character.", error)
                : null;
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new InferenceException($"{_address} cannot be reached: {error.Message} Check that the server runs.", error);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _address)
        {
            Content = new ByteArrayContent(CompletionRequest.Write(_options, messages, options)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        if (_options.ApiKey is { } key)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            string text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            throw new InferenceException(
                $"{_address} refused the request with status {(int)response.StatusCode}: {(text.Length > MostErrorCharacters ? text[..MostErrorCharacters] : text)}");
        }
    }
}
