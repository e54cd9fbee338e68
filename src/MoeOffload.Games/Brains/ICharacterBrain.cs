using MoeOffload.Chat;

namespace MoeOffload.Games;

/// <summary>Represents what answers for characters: a model in the process or on a server. Implementations can be used from several threads.</summary>
public interface ICharacterBrain
{
    /// <summary>Gets the maximum number of tokens in a prompt and its answer, or <see langword="null"/> if it is not known.</summary>
    int? ContextLength { get; }

    /// <summary>Gets the number of answers that are generated at the same time. Further ones wait in the order of the characters' priorities.</summary>
    int ParallelAnswers { get; }

    /// <summary>Counts the tokens of a text, or estimates their number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    Task<int> CountTokensAsync(string text, CancellationToken cancellationToken = default);

    /// <summary>Computes a prompt in advance, so that answers to prompts with the same beginning start sooner. A brain without a cache does nothing.</summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="options">The options with which the messages will be answered.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    Task WarmUpAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default);

    /// <summary>Generates an answer. The last update must have the whole message (<see cref="ChatUpdate.Message"/>).</summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="options">The options. A brain ignores those that it does not support.</param>
    /// <param name="cancellationToken">A token that ends the answer.</param>
    IAsyncEnumerable<ChatUpdate> AnswerAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken = default);
}
