using MoeOffload.Chat;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Commands;

/// <summary>Reads the answer to a chat as it comes.</summary>
internal static class ChatAnswer
{
    /// <summary>Reads to the end.</summary>
    /// <param name="terminal">Where a bar is shown while the prompt is computed.</param>
    /// <param name="stream">The answer.</param>
    /// <param name="write">Takes what the model thinks, and what it says.</param>
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
