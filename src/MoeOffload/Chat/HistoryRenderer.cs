using System.Collections.Concurrent;

namespace MoeOffload.Chat;

/// <summary>
/// Renders histories, also those that the template rejects or of which it leaves out messages: several system messages, one in the middle, two
/// turns of the user in a row, tool calls without support for them. What the template accepts is rendered unchanged. The others are rewritten
/// as little as necessary, and no text is lost. What was found out about a kind of history is kept. This type is thread-safe.
/// </summary>
/// <param name="hasSystemRole">Whether the template supports system messages.</param>
internal sealed class HistoryRenderer(bool hasSystemRole)
{
    private const int MostPatterns = 256;
    private const int LongestPattern = 128;

    // The number of the form that fits: 0 is the history itself.
    private readonly ConcurrentDictionary<(string Pattern, bool HasTools), int> _known = new();

    /// <summary>Renders a history.</summary>
    /// <param name="messages">The history.</param>
    /// <param name="hasTools">Whether there are tools, which can have a template of their own.</param>
    /// <param name="render">Renders messages.</param>
    /// <exception cref="ChatTemplateException">The template rejects every form of the history.</exception>
    public RenderedChat Render(IReadOnlyList<ChatMessage> messages, bool hasTools, Func<IReadOnlyList<ChatMessage>, RenderedChat> render)
    {
        (string, bool) pattern = (HistoryCheck.PatternOf(messages), hasTools);
        ChatTemplateException? failure = null;
        if (_known.TryGetValue(pattern, out int known))
        {
            try
            {
                return render(Form(messages, known));
            }
            catch (ChatTemplateException error)
            {
                // The template can also reject a content.
                failure = error;
            }
        }

        RenderedChat? incomplete = null;
        for (int form = 0; ; form++)
        {
            IReadOnlyList<ChatMessage>? candidate = form == 0 ? messages : HistoryForms.Of(messages).ElementAtOrDefault(form - 1);
            if (candidate is null)
            {
                break;
            }

            try
            {
                RenderedChat chat = render(candidate);
                if (IsComplete(chat.Prompt, candidate, render))
                {
                    Keep(pattern, form);
                    return chat;
                }

                incomplete ??= chat;
            }
            catch (ChatTemplateException error)
            {
                failure ??= error;
            }
        }

        return incomplete ?? throw failure!;
    }

    private static IReadOnlyList<ChatMessage> Form(IReadOnlyList<ChatMessage> messages, int form) =>
        form == 0 ? messages : HistoryForms.Of(messages).ElementAtOrDefault(form - 1) ?? messages;

    private bool IsComplete(string prompt, IReadOnlyList<ChatMessage> messages, Func<IReadOnlyList<ChatMessage>, RenderedChat> render)
    {
        // llama.cpp merges a system message that the template does not support into the next message, whoever said that.
        if (!hasSystemRole && messages[0].Role is ChatRole.System or ChatRole.Developer && (messages.Count == 1 || messages[1].Role != ChatRole.User))
        {
            return false;
        }

        if (HistoryCheck.HasAll(prompt, messages))
        {
            return true;
        }

        try
        {
            IReadOnlyList<ChatMessage> skeleton = HistoryCheck.Skeleton(messages);
            return HistoryCheck.HasAll(render(skeleton).Prompt, skeleton);
        }
        catch (ChatTemplateException)
        {
            return false;
        }
    }

    private void Keep((string Pattern, bool HasTools) pattern, int form)
    {
        if (pattern.Pattern.Length <= LongestPattern && _known.Count < MostPatterns)
        {
            _known[pattern] = form;
        }
    }
}
