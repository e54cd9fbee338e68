using System.Runtime.CompilerServices;
using MoeOffload.Inference.Output;

namespace MoeOffload;

/// <summary>
/// Represents the tokens of a generation. The generation starts at the first read: with <c>await foreach</c>, or with <see cref="TryRead"/>
/// for loops that cannot wait. Only one reader at a time is supported.
/// </summary>
/// <remarks>
/// The first read also starts the preparation of the request on other threads: the prompt is tokenized and the grammar is built. Errors in
/// the preparation are thrown by later reads or by <see cref="StartAsync"/>. Objects that were passed to the session must not be changed
/// until the preparation has ended. Within a priority, generations start in the order in which their streams are first read, but a request
/// that is prepared earlier can overtake one whose preparation is not finished. Leaving the loop, <see cref="Dispose"/> and the
/// cancellation token all end the generation within one step. A slow reader pauses only its own generation. A reader that awaits the tokens
/// of a model with more than 250 tokens per second gets them in groups, at most 8 ms late, because waking a reader takes time from the
/// computation. <see cref="TryRead"/> returns each token as soon as it is generated.
/// </remarks>
public sealed class TokenStream : IAsyncEnumerable<GeneratedToken>, IAsyncDisposable, IDisposable
{
    // This reference keeps the session alive as long as its streams are read.
    private readonly object _session;
    private readonly TokenChannel _channel;
    private int _isEnumerated;

    internal TokenStream(object session, TokenChannel channel)
    {
        _session = session;
        _channel = channel;
    }

    /// <summary>Ends the generation of a stream that is no longer referenced.</summary>
    ~TokenStream() => _channel?.Cancel();

    /// <summary>
    /// Gets a value that indicates whether the stream has been read to its end: the last token was read, or <see cref="TryRead"/> threw an
    /// exception. The property never blocks.
    /// </summary>
    public bool IsCompleted => _channel.IsCompleted;

    /// <summary>Gets the reason that the generation ended, or <see langword="null"/> if it is still running, was canceled or failed.</summary>
    public StopReason? StopReason => _channel.StopReason;

    /// <summary>Gets the stop string that ended the generation, or <see langword="null"/> if no stop string ended it.</summary>
    public string? StopString => _channel.StopString;

    /// <summary>
    /// Gets the number of prompt tokens, including the special tokens that the model adds. The value is 0 until the request is prepared,
    /// that is, until <see cref="StartAsync"/> has completed or a token was read.
    /// </summary>
    public int PromptTokenCount => _channel.PromptTokenCount;

    /// <summary>
    /// Gets the number of prompt tokens that have been computed or were cached, up to <see cref="PromptTokenCount"/>. The property can be
    /// read from any thread. A long prompt is computed in steps of one or more micro-batches.
    /// </summary>
    public int ComputedPromptTokenCount => _channel.ComputedPromptTokenCount;

    /// <summary>Gets the statistics of the generation, or <see langword="null"/> if it has not ended or never started.</summary>
    public GenerationStatistics? Statistics => _channel.Statistics;

    /// <summary>
    /// Starts the generation and waits until the request is prepared: the prompt is tokenized and the grammar is built. Reading the stream
    /// also starts the generation; this method reports errors in the request, and makes <see cref="PromptTokenCount"/> available, before
    /// the first token.
    /// </summary>
    /// <param name="cancellationToken">A token to cancel the generation, in addition to the one passed to <c>GenerateAsync</c>.</param>
    /// <exception cref="ArgumentException">
    /// The prompt has no tokens or contains a token that is not in the vocabulary, the grammar is not valid, or an option or a schema is
    /// not valid.
    /// </exception>
    /// <exception cref="ChatTemplateException">The chat template could not be parsed, failed, or rejected the messages.</exception>
    /// <exception cref="ContextFullException">The prompt is longer than <see cref="GenerationSession.SequenceLength"/>.</exception>
    /// <exception cref="NotSupportedException">
    /// The model has no chat template, and none was specified; or a tool call is required, but the template does not support tool calls.
    /// </exception>
    /// <exception cref="QueueFullException">The queue of the session is full.</exception>
    /// <exception cref="OperationCanceledException">The generation was canceled.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the prompt, or the context of the session was lost.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its session has been disposed.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        using CancellationTokenRegistration registration = _channel.CancelWith(cancellationToken);
        await _channel.StartAsync().ConfigureAwait(false);
        GC.KeepAlive(this);
    }

    /// <summary>Reads the next token if one is available. The first call starts the generation. The method never blocks.</summary>
    /// <param name="token">When this method returns <see langword="true"/>, contains the token.</param>
    /// <returns>
    /// <see langword="true"/> if a token was read; <see langword="false"/> if none is available now. <see cref="IsCompleted"/> indicates
    /// whether more can follow.
    /// </returns>
    /// <exception cref="InvalidOperationException">Another thread is reading the stream.</exception>
    /// <exception cref="QueueFullException">
    /// The queue of the session was full at the first call. The stream has ended; create another one later.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The prompt has no tokens or contains a token that is not in the vocabulary, the grammar is not valid, or an option or a schema is
    /// not valid.
    /// </exception>
    /// <exception cref="ChatTemplateException">The chat template could not be parsed, failed, or rejected the messages.</exception>
    /// <exception cref="ContextFullException">
    /// The prompt is longer than <see cref="GenerationSession.SequenceLength"/>; or the context is full, and the request specifies
    /// <see cref="ContextFullAction.Error"/>.
    /// </exception>
    /// <exception cref="NotSupportedException">
    /// The model has no chat template, and none was specified; or a tool call is required, but the template does not support tool calls.
    /// </exception>
    /// <exception cref="OperationCanceledException">The generation was canceled. Tokens that were not read before are lost.</exception>
    /// <exception cref="InferenceException">The generation failed, or llama.cpp rejected the prompt.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its session has been disposed.</exception>
    public bool TryRead(out GeneratedToken token)
    {
        bool taken = _channel.TryRead(out token);
        GC.KeepAlive(this);
        return taken;
    }

    /// <summary>Reads the tokens as they are generated. A stream can be enumerated only once.</summary>
    /// <param name="cancellationToken">A token to cancel the generation, in addition to the one passed to <c>GenerateAsync</c>.</param>
    /// <exception cref="InvalidOperationException">The stream is already being read.</exception>
    public IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isEnumerated, 1) != 0)
        {
            throw new InvalidOperationException("The stream is already being read, and supports only one reader. Start another generation.");
        }

        return new Enumerator(this, cancellationToken);
    }

    /// <summary>
    /// Configures how awaits in an <c>await foreach</c> are performed. It corresponds to the extension method for streams that are not
    /// disposable.
    /// </summary>
    /// <param name="continueOnCapturedContext">
    /// <see langword="true"/> to continue on the captured context; otherwise, <see langword="false"/>.
    /// </param>
    public ConfiguredCancelableAsyncEnumerable<GeneratedToken> ConfigureAwait(bool continueOnCapturedContext) =>
        ((IAsyncEnumerable<GeneratedToken>)this).ConfigureAwait(continueOnCapturedContext);

    /// <summary>Ends the generation without waiting for the current step.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _channel.Close();
        GC.KeepAlive(_session);
    }

    /// <summary>Ends the generation and waits until its slot in the session is free, which takes at most one step.</summary>
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
