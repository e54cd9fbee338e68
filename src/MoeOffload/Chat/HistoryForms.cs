using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Chat;

/// <summary>
/// Rewrites histories for templates that do not accept them as they are. Each form changes more than the one before, and none of them loses
/// text.
/// </summary>
internal static class HistoryForms
{
    private const string Separator = "\n\n";

    /// <summary>Creates the forms of a history that differ from it, in the order of how much they change.</summary>
    public static IEnumerable<IReadOnlyList<ChatMessage>> Of(IReadOnlyList<ChatMessage> messages)
    {
        IReadOnlyList<ChatMessage> last = messages;
        Func<IReadOnlyList<ChatMessage>, IReadOnlyList<ChatMessage>>[] changes =
        [
            MergeFirstSystems,
            history => MarkLaterSystems(MergeFirstSystems(history)),
            history => MergeTurns(MarkLaterSystems(MergeFirstSystems(history))),
            history => MergeTurns(WriteCallsAsText(MarkLaterSystems(MergeFirstSystems(history)))),
            history => Alternate(WriteCallsAsText(MarkLaterSystems(MergeFirstSystems(history)))),
        ];
        foreach (Func<IReadOnlyList<ChatMessage>, IReadOnlyList<ChatMessage>> change in changes)
        {
            IReadOnlyList<ChatMessage> form = change(messages);
            if (!form.SequenceEqual(last))
            {
                last = form;
                yield return form;
            }
        }
    }

    /// <summary>Makes one message of the system messages at the beginning.</summary>
    public static IReadOnlyList<ChatMessage> MergeFirstSystems(IReadOnlyList<ChatMessage> messages)
    {
        int count = messages.TakeWhile(IsSystem).Count();
        return count < 2
            ? messages
            : [messages[0] with { Content = Join(messages.Take(count).Select(message => message.Content)) }, .. messages.Skip(count)];
    }

    /// <summary>Makes messages of the user of the system messages after the beginning, and marks their text.</summary>
    public static IReadOnlyList<ChatMessage> MarkLaterSystems(IReadOnlyList<ChatMessage> messages) =>
        [.. messages.Select((message, index) => index > 0 && IsSystem(message) ? ChatMessage.User(Mark(message.Content)) : message)];

    /// <summary>Makes one message of consecutive messages of the user, or of the assistant.</summary>
    public static IReadOnlyList<ChatMessage> MergeTurns(IReadOnlyList<ChatMessage> messages)
    {
        var merged = new List<ChatMessage>();
        foreach (ChatMessage message in messages)
        {
            if (message.Role is ChatRole.User or ChatRole.Assistant && merged.LastOrDefault()?.Role == message.Role)
            {
                merged[^1] = merged[^1] with
                {
                    Content = Join([merged[^1].Content, message.Content]),
                    ReasoningContent = Join([merged[^1].ReasoningContent, message.ReasoningContent]) is { Length: > 0 } reasoning ? reasoning : null,
                    ToolCalls = [.. merged[^1].ToolCalls, .. message.ToolCalls],
                };
            }
            else
            {
                merged.Add(message);
            }
        }

        return merged;
    }

    /// <summary>Writes tool calls into the text of the assistant, and their results into messages of the user.</summary>
    public static IReadOnlyList<ChatMessage> WriteCallsAsText(IReadOnlyList<ChatMessage> messages) =>
    [
        .. messages.Select(message => message switch
        {
            { Role: ChatRole.Tool } => ChatMessage.User($"Result of {message.ToolName ?? "the tool"}:\n{message.Content}"),
            { ToolCalls.Count: > 0 } => message with { Content = Join([message.Content, .. message.ToolCalls.Select(Describe)]), ToolCalls = [] },
            _ => message,
        }),
    ];

    // The turns of the user and of the assistant alternate, the user begins, and there is no system message.
    private static IReadOnlyList<ChatMessage> Alternate(IReadOnlyList<ChatMessage> messages)
    {
        IEnumerable<ChatMessage> turns = messages
            .Select(message => IsSystem(message) ? ChatMessage.User(message.Content) : message)
            .Where((message, index) => message.Content.Length > 0 || index == messages.Count - 1);
        IReadOnlyList<ChatMessage> merged = MergeTurns([.. turns]);
        return merged.Count > 0 && merged[0].Role == ChatRole.Assistant
            ? [ChatMessage.User("(The assistant begins.)"), .. merged]
            : merged;
    }

    private static bool IsSystem(ChatMessage message) => message.Role is ChatRole.System or ChatRole.Developer;

    private static string Mark(string text) => $"<system>\n{text}\n</system>";

    private static string Join(IEnumerable<string?> texts) => string.Join(Separator, texts.Where(text => !string.IsNullOrEmpty(text)));

    private static string Describe(ToolCall call)
    {
        var json = new JsonObject { ["name"] = call.Name };
        try
        {
            json["arguments"] = JsonNode.Parse(call.Arguments);
        }
        catch (JsonException)
        {
            json["arguments"] = call.Arguments;
        }

        return json.ToJsonString();
    }
}
