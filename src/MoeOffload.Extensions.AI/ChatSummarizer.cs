using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatOptions = Microsoft.Extensions.AI.ChatOptions;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace MoeOffload.Extensions.AI;

/// <summary>Summarizes messages of a chat in the words of a model, and marks the messages that a summary covers.</summary>
/// <param name="client">The client that summarizes.</param>
/// <param name="vocabulary">The vocabulary that counts tokens.</param>
/// <param name="instructions">What the client is asked to do.</param>
/// <param name="maxTokens">The maximum number of tokens in a summary.</param>
internal sealed class ChatSummarizer(IChatClient client, Vocabulary vocabulary, string instructions, int maxTokens)
{
    /// <summary>The instruction that asks for a summary.</summary>
    public const string DefaultInstructions =
        "Summarize this part of a conversation in a few sentences. Keep names, numbers, decisions, and questions that are still open. "
        + "Answer with the summary only.";

    private const string Key = "moeoffload.summary";

    // A chat template adds its own tokens to a prompt.
    private const int TemplateTokens = 32;

    /// <summary>Returns the summary of a message and those before it, or null if it has none.</summary>
    public static string? Find(ChatMessage message) =>
        message.AdditionalProperties?.TryGetValue(Key, out object? value) is true
            ? value switch
            {
                string text => text,
                JsonElement { ValueKind: JsonValueKind.String } json => json.GetString(),
                _ => null,
            }
            : null;

    /// <summary>Returns whether a message is nothing but a summary.</summary>
    public static bool IsSummary(ChatMessage message) => Find(message) is { } summary && message.Text == summary;

    /// <summary>Keeps a summary with the last message that it covers.</summary>
    public static void Mark(ChatMessage message, string summary) => (message.AdditionalProperties ??= [])[Key] = summary;

    /// <summary>Creates the message that stands for those that a summary covers.</summary>
    public static ChatMessage CreateMessage(string summary)
    {
        var message = new ChatMessage(ChatRole.Assistant, summary);
        Mark(message, summary);
        return message;
    }

    /// <summary>Summarizes messages.</summary>
    /// <param name="summary">The summary of what came before them, or null.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="room">The maximum number of tokens in a prompt. A longer text is summarized in parts.</param>
    /// <param name="cancellationToken">A token that cancels the requests.</param>
    public async Task<string> SummarizeAsync(string? summary, IReadOnlyList<ChatMessage> messages, int room, CancellationToken cancellationToken)
    {
        int size = room - maxTokens - TemplateTokens - await CountAsync(instructions, cancellationToken).ConfigureAwait(false);
        foreach (string part in await SplitAsync(MessageMapping.Map(messages).SelectMany(Describe), Math.Max(size, maxTokens), cancellationToken).ConfigureAwait(false))
        {
            string before = string.IsNullOrEmpty(summary) ? string.Empty : $"{summary}\n\n";
            ChatResponse response = await client.GetResponseAsync(
                [new ChatMessage(ChatRole.User, $"{instructions}\n\n{before}{part}")],
                new ChatOptions { MaxOutputTokens = maxTokens, Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None } },
                cancellationToken).ConfigureAwait(false);
            string text = response.Text.Trim();

            // The client of another model counts other tokens.
            summary = text.Length == 0 ? text : text[..await FindLengthAsync(text, maxTokens, cancellationToken).ConfigureAwait(false)];
        }

        return summary ?? string.Empty;
    }

    private static IEnumerable<string> Describe(Chat.ChatMessage message)
    {
        string role = message.Role.ToString().ToLowerInvariant();
        return message.ToolCalls
            .Select(call => $"{call.Name}({call.Arguments})")
            .Prepend(message.Content)
            .Where(text => !string.IsNullOrWhiteSpace(text))
            .Select(text => $"{role}: {text}");
    }

    // Joins lines into as few parts as possible, none longer than a number of tokens.
    private async Task<List<string>> SplitAsync(IEnumerable<string> lines, int size, CancellationToken cancellationToken)
    {
        List<string> parts = [];
        var part = new StringBuilder();
        int length = 0;
        foreach (string line in lines)
        {
            foreach (string piece in await CutAsync(line, size, cancellationToken).ConfigureAwait(false))
            {
                int tokens = await CountAsync(piece, cancellationToken).ConfigureAwait(false) + 1;
                if (length > 0 && length + tokens > size)
                {
                    parts.Add(part.ToString());
                    part.Clear();
                    length = 0;
                }

                part.Append(piece).Append('\n');
                length += tokens;
            }
        }

        if (length > 0)
        {
            parts.Add(part.ToString());
        }

        return parts;
    }

    private async Task<List<string>> CutAsync(string text, int size, CancellationToken cancellationToken)
    {
        List<string> pieces = [];
        while (text.Length > 0)
        {
            int length = await FindLengthAsync(text, size, cancellationToken).ConfigureAwait(false);
            pieces.Add(text[..length]);
            text = text[length..];
        }

        return pieces;
    }

    // Returns how many characters of a text, and at least one, have at most a number of tokens.
    private async Task<int> FindLengthAsync(string text, int size, CancellationToken cancellationToken)
    {
        if (await CountAsync(text, cancellationToken).ConfigureAwait(false) <= size)
        {
            return text.Length;
        }

        int fits = 0;
        int tooLong = text.Length;
        while (tooLong - fits > 1)
        {
            int middle = (fits + tooLong) / 2;
            if (await CountAsync(text[..middle], cancellationToken).ConfigureAwait(false) <= size)
            {
                fits = middle;
            }
            else
            {
                tooLong = middle;
            }
        }

        bool isCharacterCut = fits > 0 && char.IsHighSurrogate(text[fits - 1]);
        return Math.Max(isCharacterCut ? fits - 1 : fits, char.IsHighSurrogate(text[0]) ? Math.Min(2, text.Length) : 1);
    }

    private async Task<int> CountAsync(string text, CancellationToken cancellationToken) =>
        (await vocabulary.TokenizeAsync(text, addSpecial: false, parseSpecial: false, cancellationToken).ConfigureAwait(false)).Length;
}
