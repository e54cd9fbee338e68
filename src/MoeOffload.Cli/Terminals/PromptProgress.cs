namespace MoeOffload.Cli.Terminals;

/// <summary>Shows a progress bar while a long prompt is processed.</summary>
internal static class PromptProgress
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for the first update of an answer.</summary>
    /// <param name="terminal">The terminal that shows the bar.</param>
    /// <param name="count">The number of tokens in the prompt.</param>
    /// <param name="computed">Returns the number of tokens that have been processed.</param>
    /// <param name="first">The first update.</param>
    public static async Task<bool> WaitAsync(Terminal terminal, int count, Func<int> computed, ValueTask<bool> first)
    {
        Task<bool> piece = first.AsTask();
        if (!terminal.IsErrorSeen || await Task.WhenAny(piece, Task.Delay(s_delay)).ConfigureAwait(false) == piece)
        {
            return await piece.ConfigureAwait(false);
        }

        return await ProgressBar.RunAsync(terminal, $"Processing {count} prompt tokens", async progress =>
        {
            while (await Task.WhenAny(piece, Task.Delay(s_interval)).ConfigureAwait(false) != piece)
            {
                progress.Report(computed() / (float)Math.Max(1, count));
            }

            return await piece.ConfigureAwait(false);
        }).ConfigureAwait(false);
    }
}
