using MoeOffload.Chat;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>A chat: what was said so far, and how the next answer is made.</summary>
internal sealed class ChatSession(GenerationSession session, ChatOptions options, string? system)
{
    private readonly List<ChatMessage> _messages = [];

    /// <summary>How answers are made.</summary>
    public ChatOptions Options { get; set; } = options;

    /// <summary>The system message; null for none.</summary>
    public string? System { get; set; } = system;

    /// <summary>What was said, without the system message.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>What the last answer cost; null where there was none, or it was ended.</summary>
    public GenerationStatistics? LastStatistics { get; private set; }

    /// <summary>Says something, and shows the answer. An answer that is ended or fails leaves the chat as it was.</summary>
    public async Task AnswerAsync(Terminal terminal, string said, CancellationToken cancellationToken)
    {
        LastStatistics = null;
        ChatMessage question = ChatMessage.User(said);
        ChatMessage[] start = System is { Length: > 0 } system ? [ChatMessage.System(system)] : [];
        ChatStream stream = session.ChatAsync([.. start, .. _messages, question], Options, cancellationToken);
        bool isThinking = false;
        ChatUpdate last = await ChatAnswer.ShowAsync(terminal, stream, (thought, content) =>
        {
            if (thought.Length > 0)
            {
                isThinking = true;
                terminal.Out.Write(terminal.Grey(terminal.Harmless(thought)));
            }

            if (content.Length > 0)
            {
                terminal.Out.Write(isThinking ? "\n\n" : string.Empty);
                isThinking = false;
                terminal.Out.Write(terminal.Harmless(content));
            }

            terminal.Out.Flush();
        }).ConfigureAwait(false);
        _messages.Add(question);
        _messages.Add(last.Message!);
        LastStatistics = stream.Statistics;
    }

    /// <summary>Takes back the last question and its answer.</summary>
    /// <returns>The question; null where there was none.</returns>
    public string? TakeBack()
    {
        if (_messages.Count == 0)
        {
            return null;
        }

        string? said = _messages[^2].Content;
        _messages.RemoveRange(_messages.Count - 2, 2);
        return said;
    }

    /// <summary>Forgets what was said.</summary>
    public void Clear() => _messages.Clear();
}
