using System.Runtime.CompilerServices;
using MoeOffload.Inference.Output;

namespace MoeOffload;

/// <summary>
/// The tokens of one generation. Nothing runs until it is read: by <c>await foreach</c>, or by <see cref="TryRead"/> from a loop that
/// cannot wait. One reader at a time.
/// </summary>
/// <remarks>
/// The first reading also begins to prepare the request, on other threads: the prompt is tokenized, a grammar is built. Errors of these are
/// thrown by the readings that follow, or by <see cref="StartAsync"/>. What was given to the session must not change until then. Streams
/// begin in the order in which they are first read, within one priority; one that is prepared sooner may overtake one that still is not.
/// Leaving the loop, <see cref="Dispose"/> and the cancellation token all end the generation within one step. A reader that falls far
/// behind pauses its own generation only.
/// </remarks>
public sealed class TokenStream : IAsyncEnumerable<GeneratedToken>, IAsyncDisposable, IDisposable
{
    // Kept: a session that nobody else refers to goes on as long as its streams are read.
    private readonly object _session;
    private readonly TokenChannel _channel;
    private int _isEnumerated;

    internal TokenStream(object session, TokenChannel channel)
    {
        _session = session;
        _channel = channel;
    }

    /// <summary>Ends the generation of a stream that nobody reads any more.</summary>
    ~TokenStream() => _channel?.Cancel();

    /// <summary>
    /// Whether nothing is left to read: the last token was taken, or <see cref="TryRead"/> has thrown why there is none. Never blocks.
    /// </summary>
    public bool IsCompleted => _channel.IsCompleted;

    /// <summary>Why the generation ended: null while it runs, and where it was cancelled or failed.</summary>
    public StopReason? StopReason => _channel.StopReason;

    /// <summary>The stop string that ended the generation; null where none did.</summary>
    public string? StopString => _channel.StopString;

    /// <summary>
    /// Gets the number of tokens of the prompt, with the special ones that the model adds; 0 until the request is prepared, as it is once
    /// <see cref="StartAsync"/> has completed or a token was read.
    /// </summary>
    public int PromptTokenCount => _channel.PromptTokenCount;

    /// <summary>
    /// Tokens of the prompt that are computed so far, or were cached: up to <see cref="PromptTokenCount"/>, from any thread. Steps of a
    /// long prompt compute a micro-batch or more each.
    /// </summary>
    public int ComputedPromptTokenCount => _channel.ComputedPromptTokenCount;

    /// <summary>What the generation cost; null until it has ended, and where it never began.</summary>
    public GenerationStatistics? Statistics => _channel.Statistics;

    /// <summary>
    /// Starts the generation, and completes once the request is prepared: its prompt is tokenized, its grammar built. Reading starts it as
    /// well; this tells the errors of a request, and its <see cref="PromptTokenCount"/>, before the first token is there.
    /// </summary>
    /// <param name="cancellationToken">Ends the generation, as the token given to <c>GenerateAsync</c> does.</param>
    /// <exception cref="ArgumentException">
    /// The prompt has no token or one outside the vocabulary, the grammar has an error, or an option or a schema is not valid.
    /// </exception>
    /// <exception cref="ChatTemplateException">The template of a chat does not parse, failed, or refused the messages.</exception>
    /// <exception cref="ContextFullException">The prompt is longer than <see cref="GenerationSession.SequenceLength"/>.</exception>
    /// <exception cref="NotSupportedException">
    /// The model has no chat template, and none was given; or a call is required, and the template has no form of calls.
    /// </exception>
    /// <exception cref="QueueFullException">As many generations run and wait as the session takes.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    /// <exception cref="InferenceException">llama.cpp refused the prompt, or the session's context was lost.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its session was disposed.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        using CancellationTokenRegistration registration = _channel.CancelWith(cancellationToken);
        await _channel.StartAsync().ConfigureAwait(false);
        GC.KeepAlive(this);
    }

    /// <summary>Takes the next token if there is one. The first call starts the generation. Never blocks.</summary>
    /// <param name="token">The token.</param>
    /// <returns>False where no token is ready now; <see cref="IsCompleted"/> tells whether there will be another.</returns>
    /// <exception cref="InvalidOperationException">Another thread is reading.</exception>
    /// <exception cref="QueueFullException">
    /// At the first call: as many generations run and wait as the session takes. The stream has ended; ask for a new one later.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The prompt has no token or one outside the vocabulary, the grammar has an error, or an option or a schema is not valid.
    /// </exception>
    /// <exception cref="ChatTemplateException">The template of a chat does not parse, failed, or refused the messages.</exception>
    /// <exception cref="ContextFullException">
    /// The prompt is longer than <see cref="GenerationSession.SequenceLength"/>; or the context is full, and the request asked for this.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The model has no chat template, and none was given; or a call is required, and the template has no form of calls.
    /// </exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled; tokens that were not taken before are lost.</exception>
    /// <exception cref="InferenceException">The generation failed, or llama.cpp refused the prompt.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its session was disposed.</exception>
    public bool TryRead(out GeneratedToken token)
    {
        bool taken = _channel.TryRead(out token);
        GC.KeepAlive(this);
        return taken;
    }

    /// <summary>Reads the tokens. A stream can be read once.</summary>
    /// <param name="cancellationToken">Ends the generation, as the token given to <c>GenerateAsync</c> does.</param>
    /// <exception cref="InvalidOperationException">The stream is already being read.</exception>
    public IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isEnumerated, 1) != 0)
        {
            throw new InvalidOperationException("This stream is already being read; a second reader would get half of the tokens. Generate again.");
        }

        return new Enumerator(this, cancellationToken);
    }

    /// <summary>Sets how the waits of an <c>await foreach</c> continue, as the extension method does for streams that are not disposable.</summary>
    /// <param name="continueOnCapturedContext">Whether to continue in the context that the loop began in.</param>
    public ConfiguredCancelableAsyncEnumerable<GeneratedToken> ConfigureAwait(bool continueOnCapturedContext) =>
        ((IAsyncEnumerable<GeneratedToken>)this).ConfigureAwait(continueOnCapturedContext);

    /// <summary>Ends the generation without waiting for the step that is running.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _channel.Close();
        GC.KeepAlive(_session);
    }

    /// <summary>Ends the generation, and waits until its place in the session is free again: one step at most.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        GC.SuppressFinalize(this);
        await _channel.Ended.ConfigureAwait(false);
    }

    private sealed class Enumerator(TokenStream stream, CancellationToken cancellationToken) : IAsyncEnumerator<GeneratedToken>
    {
        private readonly CancellationTokenRegistration _registration = stream._channel.CancelWith(cancellationToken);

        private GeneratedToken _current;

        public GeneratedToken Current => _current;

        public ValueTask<bool> MoveNextAsync() =>
            stream.TryRead(out _current) ? new ValueTask<bool>(true)
            : stream.IsCompleted ? new ValueTask<bool>(false)
            : ReadNextAsync();

        public async ValueTask DisposeAsync()
        {
            await _registration.DisposeAsync().ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<bool> ReadNextAsync()
        {
            while (true)
            {
                await stream._channel.WaitAsync().ConfigureAwait(false);
                if (stream.TryRead(out _current))
                {
                    return true;
                }

                if (stream.IsCompleted)
                {
                    return false;
                }
            }
        }
    }
}
