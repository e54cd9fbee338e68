using System.Globalization;
using MoeOffload.Chat;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>Represents a chat: its messages, and the options of the next answer.</summary>
internal sealed class ChatSession(GenerationSession session, ChatOptions options, string? system)
{
    private readonly List<ChatMessage> _messages = [];
    private int _omitted;

    /// <summary>Gets or sets the options of answers.</summary>
    public ChatOptions Options { get; set; } = options;

    /// <summary>Gets or sets the system message; null for none.</summary>
    public string? System { get; set; } = system;

    /// <summary>Gets the messages, without the system message.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>Gets the images of the next question.</summary>
    public List<PromptImage> Images { get; } = [];

    /// <summary>Gets the statistics of the last answer; null if there was none, or if it was stopped.</summary>
    public GenerationStatistics? LastStatistics { get; private set; }

    /// <summary>Gets the reason that the last answer ended; null if there was none, or if it was stopped.</summary>
    public StopReason? LastStopReason { get; private set; }

    /// <summary>Gets the number of messages that the last answer left out, because the chat is too long for the context.</summary>
    public int OmittedCount => _omitted;

    /// <summary>Makes a question of a text and of the images that were added for it.</summary>
    public ChatMessage Ask(string said)
    {
        ChatMessage question = Images.Count == 0 ? ChatMessage.User(said) : ChatMessage.User([.. Images.Select(ChatPart.FromImage), said]);
        Images.Clear();
        return question;
    }

    /// <summary>Sends a message and shows the answer. If the answer is stopped or fails, the chat does not change.</summary>
    public async Task AnswerAsync(Terminal terminal, ChatMessage question, CancellationToken cancellationToken)
    {
        LastStatistics = null;
        LastStopReason = null;
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
        }, () => WriteOmitted(terminal, stream.OmittedMessageCount)).ConfigureAwait(false);
        _messages.Add(question);
        _messages.Add(last.Message!);
        LastStatistics = stream.Statistics;
        LastStopReason = stream.StopReason;
    }

    // Says it again only if the number changes.
    private void WriteOmitted(Terminal terminal, int count)
    {
        if (count > 0 && count != _omitted)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"note: the {count} oldest messages of the chat are left out, because the context has {session.SequenceLength} tokens. /clear starts over, and -c sets a longer context."));
        }

        _omitted = count;
    }

    /// <summary>Removes the last question and its answer.</summary>
    /// <returns>The question; null if there was none.</returns>
    public ChatMessage? TakeBack()
    {
        if (_messages.Count == 0)
        {
            return null;
        }

        ChatMessage said = _messages[^2];
        _messages.RemoveRange(_messages.Count - 2, 2);
        return said;
    }

    /// <summary>Removes all messages.</summary>
    public void Clear()
    {
        _messages.Clear();
        Images.Clear();
        _omitted = 0;
    }
}
