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
    /// <returns>The last update.</returns>
    public static async Task<ChatUpdate> ShowAsync(Terminal terminal, ChatStream stream, Action<string, string> write)
    {
        ChatUpdate last = new();
        await stream.StartAsync().ConfigureAwait(false);
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
}
