using System.Runtime.CompilerServices;

namespace MoeOffload.Chat;

/// <summary>
/// Represents a chat answer that is being generated. The generation starts at the first read: with <c>await foreach</c>, with
/// <see cref="TryRead"/> for loops that cannot wait, or with <see cref="CompleteAsync"/>. Only one reader at a time is supported.
/// </summary>
/// <remarks>
/// An update never retracts earlier ones: joined together, the updates are the message of the last update. If llama.cpp's parser ever
/// reinterprets text that it has already returned, the message of the last update is correct. Tokens that arrive together are combined into
/// one update. Each update parses the whole answer again, on the reader's thread.
/// </remarks>
public sealed class ChatStream : IAsyncEnumerable<ChatUpdate>, IAsyncDisposable, IDisposable
{
    private readonly TokenStream _tokens;
    private readonly ChatSource _source;
    private ChatAnswerReader? _reader;
    private readonly List<GeneratedToken> _taken = [];
    private bool _isUnread;
    private bool _isUnreadable;

    internal ChatStream(TokenStream tokens, ChatSource source)
    {
        _tokens = tokens;
        _source = source;
    }

    /// <summary>
    /// Gets the rendered prompt, or <see langword="null"/> if it has not been rendered yet. It is available after <see cref="StartAsync"/>
    /// has completed or an update was read.
    /// </summary>
    public RenderedChat? Chat => _source.Chat;

    /// <inheritdoc cref="TokenStream.PromptTokenCount"/>
    public int PromptTokenCount => _tokens.PromptTokenCount;

    /// <inheritdoc cref="TokenStream.ComputedPromptTokenCount"/>
    public int ComputedPromptTokenCount => _tokens.ComputedPromptTokenCount;

    /// <summary>Gets the reason that the generation ended, or <see langword="null"/> if it is still running, was canceled or failed.</summary>
    public StopReason? StopReason => _tokens.StopReason;

    /// <summary>
    /// Gets the stop string that ended the answer, which can be one of the template's, or <see langword="null"/> if no stop string ended
    /// it.
    /// </summary>
    public string? StopString => _tokens.StopString;

    /// <summary>Gets the statistics of the generation, or <see langword="null"/> if it has not ended or never started.</summary>
    public GenerationStatistics? Statistics => _tokens.Statistics;

    /// <summary>Gets a value that indicates whether the stream has been read to its end. The property never blocks.</summary>
    public bool IsCompleted => Message is not null || _isUnreadable || (_tokens.IsCompleted && _tokens.StopReason is null);

    /// <summary>Gets the answer, or <see langword="null"/> if the last update has not been read.</summary>
    public ChatMessage? Message { get; private set; }

    /// <inheritdoc cref="TokenStream.StartAsync" path="/exception"/>
    /// <summary>
    /// Starts the generation and waits until the chat is prepared: the prompt is rendered and tokenized, and the grammar of its tools or
    /// schema is built. Reading the stream also starts the generation; this method reports errors in the chat, and makes
    /// <see cref="PromptTokenCount"/> available, before the first update.
    /// </summary>
    /// <param name="cancellationToken">A token to cancel the generation, in addition to the one passed to <c>ChatAsync</c>.</param>
    public Task StartAsync(CancellationToken cancellationToken = default) => _tokens.StartAsync(cancellationToken);

    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
    /// <summary>
    /// Reads what was added to the answer since the previous call, if anything. The first call starts the generation. The method never
    /// blocks.
    /// </summary>
    /// <param name="update">When this method returns <see langword="true"/>, contains what was added.</param>
    /// <returns>
    /// <see langword="true"/> if an update was read; <see langword="false"/> if none is available now. <see cref="IsCompleted"/> indicates
    /// whether more can follow.
    /// </returns>
    public bool TryRead(out ChatUpdate update)
    {
        update = ChatUpdate.Empty;
        if (Message is not null || _isUnreadable)
        {
            return false;
        }

        while (_tokens.TryRead(out GeneratedToken token))
        {
            Take(token);
        }

        if (_tokens.IsCompleted)
        {
            update = Finish();
            return true;
        }

        if (_isUnread)
        {
            _isUnread = false;
            update = Reader.Advance();
        }

        if (update.IsEmpty)
        {
            return false;
        }

        update = update with { Tokens = TakeTokens() };
        return true;
    }

    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
    /// <summary>Reads the updates as they are generated. A stream can be enumerated only once.</summary>
    /// <param name="cancellationToken">A token to cancel the generation, in addition to the one passed to <c>ChatAsync</c>.</param>
    public async IAsyncEnumerator<ChatUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        IAsyncEnumerator<GeneratedToken> tokens = _tokens.GetAsyncEnumerator(cancellationToken);
        await using (tokens.ConfigureAwait(false))
        {
            while (Message is null)
            {
                if (TryRead(out ChatUpdate update))
                {
                    yield return update;
                }
                else if (await tokens.MoveNextAsync().ConfigureAwait(false))
                {
                    Take(tokens.Current);
                }
            }
        }
    }

    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
    /// <summary>Reads the stream to its end and returns the whole answer.</summary>
    /// <param name="cancellationToken">A token to cancel the generation.</param>
    /// <returns>The last update, which contains the message, the finish reason and the statistics.</returns>
    public async Task<ChatUpdate> CompleteAsync(CancellationToken cancellationToken = default)
    {
        IAsyncEnumerator<GeneratedToken> tokens = _tokens.GetAsyncEnumerator(cancellationToken);
        await using (tokens.ConfigureAwait(false))
        {
            while (await tokens.MoveNextAsync().ConfigureAwait(false))
            {
                Take(tokens.Current);
            }
        }

        return Finish();
    }

    /// <summary>
    /// Configures how awaits in an <c>await foreach</c> are performed. It corresponds to the extension method for streams that are not
    /// disposable.
    /// </summary>
    /// <param name="continueOnCapturedContext">
    /// <see langword="true"/> to continue on the captured context; otherwise, <see langword="false"/>.
    /// </param>
    public ConfiguredCancelableAsyncEnumerable<ChatUpdate> ConfigureAwait(bool continueOnCapturedContext) =>
        ((IAsyncEnumerable<ChatUpdate>)this).ConfigureAwait(continueOnCapturedContext);

    /// <summary>Ends the generation without waiting for the current step.</summary>
    public void Dispose() => _tokens.Dispose();

    /// <summary>Ends the generation and waits until its slot in the session is free, which takes at most one step.</summary>
    public ValueTask DisposeAsync() => _tokens.DisposeAsync();

    // Where there is a token, the chat is rendered.
    private ChatAnswerReader Reader => _reader ??= new ChatAnswerReader(_source.Chat!);

    private void Take(in GeneratedToken token)
    {
        Reader.Append(token.Utf8.Span);
        _taken.Add(token);
        _isUnread = true;
    }

    private GeneratedToken[] TakeTokens()
    {
        GeneratedToken[] tokens = [.. _taken];
        _taken.Clear();
        return tokens;
    }

    private ChatUpdate Finish()
    {
        if (_source.Chat is null)
        {
            // The time was over before the chat was rendered.
            Message = new ChatMessage { Role = ChatRole.Assistant };
            return new ChatUpdate { Message = Message, Statistics = Statistics, FinishReason = ChatFinishReason.Length };
        }

        bool isCut = StopReason is MoeOffload.StopReason.MaxTokens or MoeOffload.StopReason.ContextFull or MoeOffload.StopReason.Deadline;
        try
        {
            Message = Reader.Finish(out ChatUpdate update, isCut);
            return update with
            {
                Tokens = TakeTokens(),
                Message = Message,
                Statistics = Statistics,
                FinishReason = isCut ? ChatFinishReason.Length
                    : Message.ToolCalls.Count > 0 ? ChatFinishReason.ToolCalls
                    : ChatFinishReason.Stop,
            };
        }
        catch (FormatException error)
        {
            _isUnreadable = true;
            throw new InferenceException($"The answer cannot be parsed. {error.Message}", error);
        }
    }
}
