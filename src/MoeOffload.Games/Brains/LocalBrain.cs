using MoeOffload.Chat;

namespace MoeOffload.Games;

/// <summary>Answers for characters with a model in the process.</summary>
public sealed class LocalBrain : ICharacterBrain
{
    // Some templates reject a chat without a question.
    private static readonly ChatMessage s_anything = ChatMessage.User(".");

    private readonly GenerationSession _session;
    private readonly ChatTemplate? _template;

    /// <summary>Initializes a new instance of the <see cref="LocalBrain"/> class.</summary>
    /// <param name="session">
    /// The session, which stays the caller's. <see cref="ContextOptions.SequenceCount"/> is the number of characters that can speak at the same time.
    /// </param>
    /// <param name="template">
    /// The chat template, for example one that shows actions to the model, or <see langword="null"/> to use that of the model.
    /// </param>
    public LocalBrain(GenerationSession session, ChatTemplate? template = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        _session = session;
        _template = template;
    }

    /// <inheritdoc/>
    public int? ContextLength => _session.SequenceLength;

    /// <inheritdoc/>
    public int ParallelAnswers => _session.SequenceCount;

    /// <inheritdoc/>
    public async Task<int> CountTokensAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] tokens = await _session.Model.Vocabulary.TokenizeAsync(text, addSpecial: false, parseSpecial: false, cancellationToken).ConfigureAwait(false);
        return tokens.Length;
    }

    /// <inheritdoc/>
    public async Task WarmUpAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(options);
        using ChatStream stream = _session.ChatAsync([.. messages, s_anything], options with { MaxTokens = 1, ToolChoice = ToolChoice.Auto, Template = _template }, cancellationToken);
        await stream.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatUpdate> AnswerAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _session.ChatAsync(messages, options with { Template = _template }, cancellationToken);
    }
}
