using Microsoft.Extensions.AI;

namespace MoeOffload.Extensions.AI;

/// <summary>
/// Removes the oldest turns of a chat until its prompt fits into a number of tokens, as the chat template and the vocabulary of the model
/// count them.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="maxTokens">
/// The maximum number of tokens in the prompt. For a session, this is <see cref="GenerationSession.SequenceLength"/> less the tokens of an answer.
/// </param>
/// <param name="options">The options of the requests, whose tools and instructions are part of the prompt, or <see langword="null"/>.</param>
/// <remarks>
/// A turn begins with a message of the user and includes everything up to the next one, so that a call of a tool is never separated from its
/// result. Messages before the first turn, such as instructions, and the last turn are always kept. If they do not fit on their own, generating
/// the answer throws a <see cref="ContextFullException"/>.
/// </remarks>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="maxTokens"/> is less than 1.</exception>
public sealed class ContextChatReducer(MoeModel model, int maxTokens, ChatOptions? options = null) : IChatReducer
{
    private readonly MoeModel _model = model ?? throw new ArgumentNullException(nameof(model));
    private readonly int _maxTokens = maxTokens >= 1
        ? maxTokens
        : throw new ArgumentOutOfRangeException(nameof(maxTokens), maxTokens, "The prompt must be allowed at least one token.");

    /// <summary>Removes turns from a chat.</summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <returns>The messages that are kept, in the same order.</returns>
    /// <inheritdoc cref="MoeOffloadAIExtensions.CountTokensAsync" path="/exception"/>
    public async Task<IEnumerable<ChatMessage>> ReduceAsync(IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatMessage[] all = [.. messages];
        int[] turns = [.. Enumerable.Range(0, all.Length).Where(i => all[i].Role == ChatRole.User && !HasResults(all[i]))];
        if (turns.Length < 2)
        {
            return all;
        }

        PromptLength prompts = await PromptLength.CreateAsync(_model, options, cancellationToken).ConfigureAwait(false);
        if (await FitsAsync(all).ConfigureAwait(false))
        {
            return all;
        }

        // Searches for the smallest number of turns to remove. More of them never make the prompt longer.
        int fewest = 1;
        int most = turns.Length - 1;
        while (fewest < most)
        {
            int middle = (fewest + most) / 2;
            if (await FitsAsync(Without(middle)).ConfigureAwait(false))
            {
                most = middle;
            }
            else
            {
                fewest = middle + 1;
            }
        }

        return Without(fewest);

        async Task<bool> FitsAsync(ChatMessage[] some) => await prompts.MeasureAsync(some, cancellationToken).ConfigureAwait(false) <= _maxTokens;

        ChatMessage[] Without(int count) => [.. all[..turns[0]], .. all[turns[count]..]];
    }

    // Some programs return the results of tools in the name of the user.
    private static bool HasResults(ChatMessage message) => message.Contents.Any(content => content is FunctionResultContent);
}
