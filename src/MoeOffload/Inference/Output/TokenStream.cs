using System.Runtime.CompilerServices;
using MoeOffload.Inference.Output;

namespace MoeOffload;

/// <summary>
/// The tokens of one generation. Nothing runs until it is read: by <c>await foreach</c>, or by <see cref="TryRead"/> from a loop that
/// cannot wait. One reader at a time.
/// </summary>
/// <remarks>
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

    /// <summary>Tokens of the prompt, with the special ones that the model adds.</summary>
    public int PromptTokenCount => _channel.PromptTokenCount;

    /// <summary>
    /// Tokens of the prompt that are computed so far, or were cached: up to <see cref="PromptTokenCount"/>, from any thread. Steps of a
    /// long prompt compute a micro-batch or more each.
    /// </summary>
    public int ComputedPromptTokenCount => _channel.ComputedPromptTokenCount;

    /// <summary>What the generation cost; null until it has ended, and where it never began.</summary>
    public GenerationStatistics? Statistics => _channel.Statistics;

    /// <summary>Takes the next token if there is one. The first call starts the generation. Never blocks.</summary>
    /// <param name="token">The token.</param>
    /// <returns>False where no token is ready now; <see cref="IsCompleted"/> tells whether there will be another.</returns>
    /// <exception cref="InvalidOperationException">Another thread is reading.</exception>
    /// <exception cref="QueueFullException">
    /// At the first call: as many generations run and wait as the session takes. The stream has ended; ask for a new one later.
    /// </exception>
    /// <exception cref="ContextFullException">The context is full, and the request asked for this.</exception>
    /// <exception cref="OperationCanceledException">The generation was cancelled; tokens that were not taken before are lost.</exception>
    /// <exception cref="InferenceException">The generation failed.</exception>
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
        private readonly CancellationTokenRegistration _registration = cancellationToken.UnsafeRegister(
            static state =>
            {
                var (channel, token) = ((TokenChannel, CancellationToken))state!;
                channel.CancelledBy = token;
                channel.Cancel();
            },
            cancellationToken.CanBeCanceled ? (stream._channel, cancellationToken) : null);

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
