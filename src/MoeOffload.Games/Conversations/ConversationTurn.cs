using MoeOffload.Chat;

namespace MoeOffload.Games;

/// <summary>Represents what was said to a character, and its answer with its actions. A turn is remembered or forgotten as a whole.</summary>
public sealed class ConversationTurn
{
    // What a template puts around a message, in tokens. An estimate is enough, because the session measures the whole prompt.
    private const int TokensAround = 8;

    private readonly ChatMessage[] _messages;
    private volatile int _tokenCount = -1;

    internal ConversationTurn(ChatMessage[] messages, bool isInterrupted)
    {
        _messages = messages;
        IsInterrupted = isInterrupted;
    }

    /// <summary>
    /// Gets the messages: that of the player, and then answers, each followed by the results of its actions. The last one is an answer.
    /// </summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>
    /// Gets a value that indicates whether the answer ended early: it was interrupted, failed, or reached its deadline or its maximum number of tokens.
    /// </summary>
    public bool IsInterrupted { get; }

    /// <summary>Adds the messages to a prompt.</summary>
    internal void AddTo(List<ChatMessage> prompt, string interruptedText)
    {
        prompt.AddRange(_messages);
        if (IsInterrupted)
        {
            prompt[^1] = prompt[^1] with { Content = prompt[^1].Content + interruptedText };
        }
    }

    /// <summary>Counts the tokens of the turn, approximately.</summary>
    internal async Task<int> CountTokensAsync(ICharacterBrain brain, CancellationToken cancellationToken)
    {
        if (_tokenCount < 0)
        {
            string text = string.Concat(_messages.Select(message => message.Content + string.Concat(message.ToolCalls.Select(call => call.Name + call.Arguments))));
            _tokenCount = (_messages.Length * TokensAround) + await brain.CountTokensAsync(text, cancellationToken).ConfigureAwait(false);
        }

        return _tokenCount;
    }
}
