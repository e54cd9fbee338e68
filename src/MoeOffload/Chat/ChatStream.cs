using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace MoeOffload.Chat;

/// <summary>
/// Represents a chat answer that is being generated. The generation starts at the first read: with <c>await foreach</c>, with
/// <see cref="TryRead"/> for loops that cannot wait, or with <see cref="CompleteAsync"/>. Only one reader at a time is supported.
/// </summary>
/// <remarks>
/// An update never retracts earlier ones: joined together, the updates are the message of the last update. If llama.cpp's parser ever
/// reinterprets text that it has already returned, the message of the last update is correct. Tokens that arrive together are combined into
/// one update. Each update parses the whole answer again. This is done on the thread pool, so it takes the reader no time, however long the
/// answer is. Tokens that arrive during a parse are read when it has ended.
/// </remarks>
public sealed class ChatStream : IAsyncEnumerable<ChatUpdate>, IAsyncDisposable, IDisposable
{
    private readonly TokenStream _tokens;
    private readonly ChatSource _source;
    private AnswerParser? _parser;
    private ExceptionDispatchInfo? _failure;
    private bool _isEnded;
    private volatile bool _isDisposed;

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

    /// <summary>
    /// Gets the number of messages that were left out because the chat is too long for the context; see <see cref="ChatOptions.Overflow"/>.
    /// It is available when <see cref="Chat"/> is.
    /// </summary>
    public int OmittedMessageCount => _source.OmittedMessageCount;

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
    public bool IsCompleted =>
        _isEnded || (_tokens.IsCompleted && _tokens.StopReason is null && (_failure is null || _isDisposed));

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
        if (_isEnded)
        {
            return false;
        }

        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_parser?.Running is { } parse)
        {
            if (!parse.IsCompleted)
            {
                return false;
            }

            update = TakeParsed();
            if (_isEnded)
            {
                return true;
            }
        }

        ReadTokens(hasUpdate: !update.IsEmpty);
        if (!IsAtEnd)
        {
            _parser?.StartIfNew();
        }
        else if (_source.Chat is null)
        {
            update = EndUnrendered();
            return true;
        }
        else
        {
            Parser.StartLast(IsCut);
        }

        return !update.IsEmpty;
    }

    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
    /// <summary>Reads the updates as they are generated. A stream can be enumerated only once.</summary>
    /// <param name="cancellationToken">A token to cancel the generation, in addition to the one passed to <c>ChatAsync</c>.</param>
    public async IAsyncEnumerator<ChatUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        IAsyncEnumerator<GeneratedToken> tokens = _tokens.GetAsyncEnumerator(cancellationToken);
        await using (tokens.ConfigureAwait(false))
        {
            while (!_isEnded)
            {
                if (TryRead(out ChatUpdate update))
                {
                    yield return update;
                }
                else if (_parser?.Running is { } parse)
                {
                    await parse.ConfigureAwait(false);
                }
                else if (await tokens.MoveNextAsync().ConfigureAwait(false))
                {
                    Parser.Add(tokens.Current);
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
        ChatUpdate before;
        IAsyncEnumerator<GeneratedToken> tokens = _tokens.GetAsyncEnumerator(cancellationToken);
        await using (tokens.ConfigureAwait(false))
        {
            before = await WaitForParseAsync().ConfigureAwait(false);
            while (await tokens.MoveNextAsync().ConfigureAwait(false))
            {
                Parser.Add(tokens.Current);
            }
        }

        if (Message is not null)
        {
            return AsLast(before, Message);
        }

        if (_source.Chat is null)
        {
            return EndUnrendered();
        }

        Parser.StartLast(IsCut);
        ChatUpdate rest = await WaitForParseAsync().ConfigureAwait(false);
        return rest with
        {
            Content = before.Content + rest.Content,
            ReasoningContent = before.ReasoningContent + rest.ReasoningContent,
            ToolCalls = [.. before.ToolCalls, .. rest.ToolCalls],
            Tokens = [.. before.Tokens, .. rest.Tokens],
        };
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
    public void Dispose()
    {
        _isDisposed = true;
        _tokens.Dispose();
    }

    /// <summary>Ends the generation and waits until its slot in the session is free, which takes at most one step.</summary>
    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        return _tokens.DisposeAsync();
    }

    // If there is a token, the chat has been rendered.
    private AnswerParser Parser => _parser ??= new AnswerParser(_source.Chat!);

    // A stream that failed, or was disposed by another thread, has no stop reason.
    private bool IsAtEnd => _tokens.IsCompleted && StopReason is not null;

    private bool IsCut => StopReason is MoeOffload.StopReason.MaxTokens or MoeOffload.StopReason.ContextFull or MoeOffload.StopReason.Deadline;

    // Reads what is there. An exception that ends the generation is thrown once what came before it has been read. A canceled stream, on the
    // other hand, ends immediately.
    private void ReadTokens(bool hasUpdate)
    {
        if (_failure is null)
        {
            try
            {
                while (_tokens.TryRead(out GeneratedToken token))
                {
                    Parser.Add(token);
                }
            }
            catch (MoeOffloadException exception) when (hasUpdate || _parser is { HasNew: true })
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
        }
        else if (!hasUpdate)
        {
            ExceptionDispatchInfo failure = _failure;
            _failure = null;
            failure.Throw();
        }
    }

    private async ValueTask<ChatUpdate> WaitForParseAsync()
    {
        if (_parser?.Running is not { } parse)
        {
            return ChatUpdate.Empty;
        }

        await parse.ConfigureAwait(false);
        return TakeParsed();
    }

    private ChatUpdate TakeParsed()
    {
        try
        {
            ChatUpdate update = _parser!.Take(out ChatMessage? message);
            if (message is null)
            {
                return update;
            }

            Message = message;
            _isEnded = true;
            return AsLast(update, message);
        }
        catch (FormatException error)
        {
            _isEnded = true;
            throw new InferenceException($"The answer cannot be parsed. {error.Message}", error);
        }
    }

    // The time limit expired before the chat was rendered.
    private ChatUpdate EndUnrendered()
    {
        Message = new ChatMessage { Role = ChatRole.Assistant };
        _isEnded = true;
        return new ChatUpdate { Message = Message, Statistics = Statistics, FinishReason = ChatFinishReason.Length };
    }

    private ChatUpdate AsLast(ChatUpdate update, ChatMessage message) => update with
    {
        Message = message,
        Statistics = Statistics,
        FinishReason = IsCut ? ChatFinishReason.Length
            : message.ToolCalls.Count > 0 ? ChatFinishReason.ToolCalls
            : ChatFinishReason.Stop,
    };
}
