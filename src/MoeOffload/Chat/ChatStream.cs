using System.Runtime.CompilerServices;

namespace MoeOffload.Chat;

/// <summary>
/// The answer to a chat, as it is generated. Nothing runs until it is read: by <c>await foreach</c>, by <see cref="TryRead"/> from a
/// loop that cannot wait, or by <see cref="CompleteAsync"/>. One reader at a time.
/// </summary>
/// <remarks>
/// Updates never take back what came before: added up they are the message of the last update. (Should llama.cpp's parser ever think
/// otherwise of what it let out, the message of the last update is right.) Tokens that arrived together make one update. Each update
/// reads the whole answer again, on the reader's thread.
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
    /// Gets the prompt that is answered; null until it is rendered, as it is once <see cref="StartAsync"/> has completed or an update was read.
    /// </summary>
    public RenderedChat? Chat => _source.Chat;

    /// <inheritdoc cref="TokenStream.PromptTokenCount"/>
    public int PromptTokenCount => _tokens.PromptTokenCount;

    /// <inheritdoc cref="TokenStream.ComputedPromptTokenCount"/>
    public int ComputedPromptTokenCount => _tokens.ComputedPromptTokenCount;

    /// <summary>Why the generation ended: null while it runs, and where it was cancelled or failed.</summary>
    public StopReason? StopReason => _tokens.StopReason;

    /// <summary>The stop string that ended the answer, one of the template's included; null where none did.</summary>
    public string? StopString => _tokens.StopString;

    /// <summary>What the answer cost; null until it has ended, and where it never began.</summary>
    public GenerationStatistics? Statistics => _tokens.Statistics;

    /// <summary>Whether nothing is left to read. Never blocks.</summary>
    public bool IsCompleted => Message is not null || _isUnreadable || (_tokens.IsCompleted && _tokens.StopReason is null);

    /// <summary>The answer; null until the last update was read.</summary>
    public ChatMessage? Message { get; private set; }

    /// <summary>
    /// Starts the generation, and completes once the chat is prepared: its prompt is rendered and tokenized, the grammar of its tools or schema
    /// built. Reading starts it as well; this tells the errors of a chat, and its <see cref="PromptTokenCount"/>, before the first update is
    /// there.
    /// </summary>
    /// <param name="cancellationToken">Ends the generation, as the token given to <c>ChatAsync</c> does.</param>
    /// <inheritdoc cref="TokenStream.StartAsync" path="/exception"/>
    public Task StartAsync(CancellationToken cancellationToken = default) => _tokens.StartAsync(cancellationToken);

    /// <summary>Takes what was added since the last call, if anything was. The first call starts the generation. Never blocks.</summary>
    /// <param name="update">What was added.</param>
    /// <returns>False where there is nothing now; <see cref="IsCompleted"/> tells whether there will be.</returns>
    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
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

    /// <summary>Reads the answer as it comes. A stream can be read once.</summary>
    /// <param name="cancellationToken">Ends the generation, as the token given to <c>ChatAsync</c> does.</param>
    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
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

    /// <summary>Reads to the end, and gives the whole answer.</summary>
    /// <param name="cancellationToken">Ends the generation.</param>
    /// <returns>The last update, with message, reason and statistics.</returns>
    /// <inheritdoc cref="TokenStream.TryRead" path="/exception"/>
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

    /// <summary>Sets how the waits of an <c>await foreach</c> continue, as the extension method does for streams that are not disposable.</summary>
    /// <param name="continueOnCapturedContext">Whether to continue in the context that the loop began in.</param>
    public ConfiguredCancelableAsyncEnumerable<ChatUpdate> ConfigureAwait(bool continueOnCapturedContext) =>
        ((IAsyncEnumerable<ChatUpdate>)this).ConfigureAwait(continueOnCapturedContext);

    /// <summary>Ends the generation without waiting for the step that is running.</summary>
    public void Dispose() => _tokens.Dispose();

    /// <summary>Ends the generation, and waits until its place in the session is free again: one step at most.</summary>
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
            throw new InferenceException($"The answer cannot be read. {error.Message}", error);
        }
    }
}
