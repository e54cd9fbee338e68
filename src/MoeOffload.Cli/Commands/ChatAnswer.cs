using System.Globalization;
using MoeOffload.Chat;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>Shows the answer of a chat while it is generated.</summary>
internal static class ChatAnswer
{
    /// <summary>Shows an answer to its end.</summary>
    /// <param name="terminal">The terminal that shows a progress bar while the prompt is processed.</param>
    /// <param name="stream">The answer.</param>
    /// <param name="write">Writes the reasoning and the content of an update.</param>
    /// <param name="started">An action that is called before the first update, when the prompt is known.</param>
    /// <returns>The last update.</returns>
    public static async Task<ChatUpdate> ShowAsync(Terminal terminal, ChatStream stream, Action<string, string> write, Action? started = null)
    {
        ChatUpdate last = new();
        await stream.StartAsync().ConfigureAwait(false);
        started?.Invoke();
        IAsyncEnumerator<ChatUpdate> updates = stream.GetAsyncEnumerator(CancellationToken.None);
        await using (updates.ConfigureAwait(false))
        {
            bool isNext = await PromptProgress.WaitAsync(
                terminal, stream.PromptTokenCount, () => stream.ComputedPromptTokenCount, updates.MoveNextAsync()).ConfigureAwait(false);
            while (isNext)
            {
                last = updates.Current;
                write(last.ReasoningContent, last.Content);
                isNext = await updates.MoveNextAsync().ConfigureAwait(false);
            }
        }

        return last;
    }

    /// <summary>Says that an answer was cut off because the context is full; says nothing about other ends.</summary>
    public static void WriteCut(Terminal terminal, StopReason? reason, GenerationSession session)
    {
        if (reason == StopReason.ContextFull)
        {
            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"note: the answer was cut off, because the context of {session.SequenceLength} tokens is full. Use a longer one (-c), or --context-shift."));
        }
    }
}
