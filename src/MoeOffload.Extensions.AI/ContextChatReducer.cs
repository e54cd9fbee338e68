using System.Globalization;
using Microsoft.Extensions.AI;

namespace MoeOffload.Extensions.AI;

/// <summary>
/// Removes or summarizes the oldest turns of a chat until its prompt fits into a number of tokens, as the chat template and the vocabulary of the
/// model count them.
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

    private readonly int? _maxSummaryTokens;

    /// <summary>
    /// Gets the client that summarizes the turns that are removed, or <see langword="null"/> if they are only removed, which is the default.
    /// </summary>
    /// <remarks>
    /// The summary stands in a message of the assistant in place of the turns. It is kept in the <see cref="ChatMessage.AdditionalProperties"/> of
    /// the last message that it covers, under <c>moeoffload.summary</c>, so a chat that has become longer is summarized from there on. Turns that
    /// do not fit into the context of the model are summarized in parts. If the client returns no text, the turns are removed. The client can be
    /// that of another model; the exceptions of its requests are passed on.
    /// </remarks>
    public IChatClient? Summarizer { get; init; }

    /// <summary>Gets the maximum number of tokens in a summary. The default is an eighth of the tokens in the prompt.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1, or not less than the maximum number of tokens in the prompt.</exception>
    public int MaxSummaryTokens
    {
        get => _maxSummaryTokens ?? Math.Max(1, _maxTokens / 8);
        init => _maxSummaryTokens = value >= 1 && value < _maxTokens
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, string.Create(
                CultureInfo.InvariantCulture, $"A summary must be allowed at least one token, and fewer than the {_maxTokens} of the prompt."));
    }

    /// <summary>
    /// Gets the instruction that the summarizer gets with the text of the turns. Write it in the language of the chat. The default asks in English
    /// for a short summary that keeps names, numbers, decisions and open questions.
    /// </summary>
    public string SummaryInstructions { get; init; } = ChatSummarizer.DefaultInstructions;

    /// <summary>Removes or summarizes turns of a chat.</summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <returns>The messages that are kept, in the same order, and the summary of the others in their place.</returns>
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
        if (await FitsAsync(all, _maxTokens).ConfigureAwait(false))
        {
            return all;
        }

        return Summarizer is null
            ? await RemoveAsync().ConfigureAwait(false)
            : await SummarizeAsync(Summarizer).ConfigureAwait(false);

        async Task<ChatMessage[]> RemoveAsync()
        {
            int count = await FewestAsync(1, removed => FitsAsync(Without(removed, null), _maxTokens)).ConfigureAwait(false);
            return Without(count, null);
        }

        async Task<ChatMessage[]> SummarizeAsync(IChatClient client)
        {
            (int covered, string? summary) = FindSummary();
            if (summary is not null && await FitsAsync(Without(covered, summary), _maxTokens).ConfigureAwait(false))
            {
                return Without(covered, summary);
            }

            // The summary is not known yet; a message of one letter stands for it.
            int room = _maxTokens - MaxSummaryTokens;
            int count = await FewestAsync(Math.Min(covered + 1, turns.Length - 1), removed => FitsAsync(Without(removed, "-"), room)).ConfigureAwait(false);
            if (count > covered)
            {
                var summarizer = new ChatSummarizer(client, _model.Vocabulary, SummaryInstructions, MaxSummaryTokens);
                summary = await summarizer.SummarizeAsync(summary, all[turns[covered]..turns[count]], room, cancellationToken).ConfigureAwait(false);
                ChatSummarizer.Mark(all[turns[count] - 1], summary);
            }

            return Without(count, summary);
        }

        // Returns the number of turns that the latest summary covers. A chat that was kept after it had been reduced begins with one.
        (int Turns, string? Summary) FindSummary()
        {
            for (int count = turns.Length - 1; count >= 0; count--)
            {
                if (turns[count] > 0 && ChatSummarizer.Find(all[turns[count] - 1]) is { } summary)
                {
                    return (count, summary);
                }
            }

            return (0, null);
        }

        // Removing more turns never makes the prompt longer.
        async Task<int> FewestAsync(int fewest, Func<int, Task<bool>> fits)
        {
            int most = turns.Length - 1;
            while (fewest < most)
            {
                int middle = (fewest + most) / 2;
                if (await fits(middle).ConfigureAwait(false))
                {
                    most = middle;
                }
                else
                {
                    fewest = middle + 1;
                }
            }

            return most;
        }

        async Task<bool> FitsAsync(ChatMessage[] some, int tokens) => await prompts.MeasureAsync(some, cancellationToken).ConfigureAwait(false) <= tokens;

        ChatMessage[] Without(int count, string? summary)
        {
            int instructions = turns[0] > 0 && ChatSummarizer.IsSummary(all[turns[0] - 1]) ? turns[0] - 1 : turns[0];
            return string.IsNullOrEmpty(summary)
                ? [.. all[..turns[0]], .. all[turns[count]..]]
                : [.. all[..instructions], ChatSummarizer.CreateMessage(summary), .. all[turns[count]..]];
        }
    }

    // Some programs return the results of tools in the name of the user.
    private static bool HasResults(ChatMessage message) => message.Contents.Any(content => content is FunctionResultContent);
}
