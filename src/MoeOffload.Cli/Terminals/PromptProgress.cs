namespace MoeOffload.Cli.Terminals;

/// <summary>A bar while a long prompt is computed.</summary>
internal static class PromptProgress
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits for the first piece of an answer.</summary>
    /// <param name="terminal">Where the bar is.</param>
    /// <param name="count">Tokens of the prompt.</param>
    /// <param name="computed">Tokens of it that are computed.</param>
    /// <param name="first">The piece.</param>
    public static async Task<bool> WaitAsync(Terminal terminal, int count, Func<int> computed, ValueTask<bool> first)
    {
        Task<bool> piece = first.AsTask();
        if (!terminal.IsErrorSeen || await Task.WhenAny(piece, Task.Delay(s_patience)).ConfigureAwait(false) == piece)
        {
            return await piece.ConfigureAwait(false);
        }

        return await ProgressBar.RunAsync(terminal, $"Reading {count} tokens", async progress =>
        {
            while (await Task.WhenAny(piece, Task.Delay(s_interval)).ConfigureAwait(false) != piece)
            {
                progress.Report(computed() / (float)Math.Max(1, count));
            }

            return await piece.ConfigureAwait(false);
        }).ConfigureAwait(false);
    }
}
