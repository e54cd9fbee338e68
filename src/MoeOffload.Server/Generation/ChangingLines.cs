using System.Text.RegularExpressions;
using MoeOffload.Chat;

namespace MoeOffload.Server.Generation;

/// <summary>
/// Moves the current time from the beginning of a chat to the last message of the user. Some clients begin their system text with it, so that
/// nothing behind it would be found in the prefix cache. The model still reads it.
/// </summary>
internal static partial class ChangingLines
{
    // What comes later in a system text costs only the part of the prefix behind it, and belongs to its surroundings.
    private const int Beginning = 1024;
    private const int Longest = 200;

    /// <summary>Moves sentences with the current time, if there are any.</summary>
    public static IReadOnlyList<ChatMessage> Move(IReadOnlyList<ChatMessage> messages)
    {
        int user = messages.Count - 1;
        while (user > 0 && messages[user].Role != ChatRole.User)
        {
            user--;
        }

        if (user <= 0 || messages[0].Role is not (ChatRole.System or ChatRole.Developer))
        {
            return messages;
        }

        var moved = new List<string>();
        string text = messages[0].Content;
        string beginning = text.Length > Beginning ? text[..Beginning] : text;
        string kept = Sentence().Replace(beginning, sentence => IsTime(sentence.Value, isWhole: sentence.Index + sentence.Length < beginning.Length || beginning.Length == text.Length)
            ? Take(sentence.Value)
            : sentence.Value);
        if (moved.Count == 0)
        {
            return messages;
        }

        ChatMessage[] changed = [.. messages];
        changed[0] = messages[0] with { Content = string.Concat(kept, text.AsSpan(beginning.Length)).TrimStart('\n') };
        changed[user] = messages[user] with { Content = $"{messages[user].Content}\n\n<system>\n{string.Join('\n', moved)}\n</system>" };
        return changed[0].Content.Length > 0 ? changed : changed[1..];

        string Take(string sentence)
        {
            moved.Add(sentence.Trim());
            return string.Empty;
        }
    }

    private static bool IsTime(string sentence, bool isWhole) =>
        isWhole && sentence.Length <= Longest && TimeOfDay().IsMatch(sentence) && Now().IsMatch(sentence);

    // A line, or a sentence of it. The time can contain points, as in 14:03:22.5.
    [GeneratedRegex(@"(?:[^.!?\n]|[.!?](?=\S))+(?:[.!?]+[ \t]*\n?|\n|$)", RegexOptions.CultureInvariant)]
    private static partial Regex Sentence();

    [GeneratedRegex(@"\b(?:[01]?\d|2[0-3]):[0-5]\d\b|T[0-2]\d:[0-5]\d", RegexOptions.CultureInvariant)]
    private static partial Regex TimeOfDay();

    [GeneratedRegex(
        @"\b(?:current|local|system|present)\s+(?:local\s+|utc\s+|system\s+)?(?:date|time|datetime|timestamp|date/time)\b|\bdate\s+and\s+time\b|\btoday\b|\bcurrent_(?:date|time|datetime|timestamp)\b|\btime(?:stamp)?\s+is\s+now\b|\bit\s+is\s+now\b|^\W*(?:now|timestamp|datetime|time)\s*[:=]",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Now();
}
