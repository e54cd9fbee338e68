using MoeOffload.Chat;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>Represents a chat: its messages, and the options of the next answer.</summary>
internal sealed class ChatSession(GenerationSession session, ChatOptions options, string? system)
{
    private readonly List<ChatMessage> _messages = [];

    /// <summary>Gets or sets the options of answers.</summary>
    public ChatOptions Options { get; set; } = options;

    /// <summary>Gets or sets the system message; null for none.</summary>
    public string? System { get; set; } = system;

    /// <summary>Gets the messages, without the system message.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>Gets the statistics of the last answer; null if there was none, or if it was stopped.</summary>
    public GenerationStatistics? LastStatistics { get; private set; }

    /// <summary>Sends a message and shows the answer. If the answer is stopped or fails, the chat does not change.</summary>
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

    /// <summary>Removes the last question and its answer.</summary>
    /// <returns>The question; null if there was none.</returns>
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

    /// <summary>Removes all messages.</summary>
    public void Clear() => _messages.Clear();
}
