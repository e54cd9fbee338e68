using System.Globalization;

namespace MoeOffload.Chat;

/// <summary>Determines whether a prompt has the text of all messages. Some templates leave out messages that they do not expect.</summary>
internal static class HistoryCheck
{
    /// <summary>Determines whether a prompt contains the content of each message, in their order.</summary>
    /// <remarks>A template can also change the content, so that the result is <see langword="false"/> although nothing is lost.</remarks>
    public static bool HasAll(string prompt, IReadOnlyList<ChatMessage> messages)
    {
        int start = 0;
        foreach (ChatMessage message in messages)
        {
            // The text of a leading system message can be behind the tools, and that of a call before the content.
            string content = message.Content.Trim();
            int at = content.Length == 0 ? start : prompt.IndexOf(content, start, StringComparison.Ordinal);
            if (at < 0 || message.ToolCalls.Any(call => !prompt.Contains(call.Name, StringComparison.Ordinal)))
            {
                return false;
            }

            start = at + content.Length;
        }

        return true;
    }

    /// <summary>Creates messages of the same roles whose contents are short words that no template changes.</summary>
    public static IReadOnlyList<ChatMessage> Skeleton(IReadOnlyList<ChatMessage> messages) =>
    [
        .. messages.Select((message, index) => message with
        {
            Content = message.Content.Length == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"qz{index}zq"),
            ReasoningContent = null,
            ToolCalls = [.. message.ToolCalls.Select(call => call with { Arguments = "{}" })],
        }),
    ];

    /// <summary>Gets the kinds of the messages, by which a history is recognized.</summary>
    public static string PatternOf(IReadOnlyList<ChatMessage> messages) => string.Create(messages.Count, messages, static (pattern, messages) =>
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            pattern[i] = messages[i] switch
            {
                { Role: ChatRole.System } => 'S',
                { Role: ChatRole.Developer } => 'D',
                { Role: ChatRole.User } => 'U',
                { Role: ChatRole.Tool } => 'T',
                { ToolCalls.Count: > 0 } => 'C',
                _ => 'A',
            };
            if (messages[i].Content.Length == 0)
            {
                pattern[i] = char.ToLowerInvariant(pattern[i]);
            }
        }
    });
}
