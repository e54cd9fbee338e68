using Spectre.Console;

namespace MoeOffload.Cli.Terminals;

/// <summary>Shows a progress bar on standard error, if it is a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Runs work that reports its progress.</summary>
    /// <param name="terminal">The terminal that shows the bar.</param>
    /// <param name="title">The title of the bar.</param>
    /// <param name="work">The work, which reports values from 0 to 1.</param>
    public static Task<T> RunAsync<T>(Terminal terminal, string title, Func<IProgress<float>, Task<T>> work) =>
        RunAsync<T>(terminal, title, [new PercentageColumn()], bar => work(new Direct<float>(value => bar?.Value = value)));

    /// <summary>Runs work that consists of named steps.</summary>
    /// <param name="terminal">The terminal that shows the bar.</param>
    /// <param name="title">The title of the bar.</param>
    /// <param name="work">The work, which reports a value from 0 to 1 and the name of the next step.</param>
    public static Task<T> RunStepsAsync<T>(Terminal terminal, string title, Func<IProgress<(float Share, string Step)>, Task<T>> work) =>
        RunAsync<T>(terminal, title, [new PercentageColumn(), new RemainingTimeColumn()], bar => work(new Direct<(float Share, string Step)>(at =>
        {
            bar?.Value = at.Share;
            bar?.Description = Markup.Escape($"{title}: {at.Step}");
        })));

    /// <summary>Runs work that reports the number of bytes that it has transferred.</summary>
    /// <inheritdoc cref="RunAsync{T}(Terminal, string, Func{IProgress{float}, Task{T}})"/>
    public static Task<T> RunBytesAsync<T>(Terminal terminal, string title, Func<ProgressTask?, Task<T>> work) =>
        RunAsync(terminal, title, [new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn()], work);

    private static Task<T> RunAsync<T>(Terminal terminal, string title, ProgressColumn[] columns, Func<ProgressTask?, Task<T>> work) => !terminal.IsErrorSeen
        ? work(null)
        : terminal.Errors.Progress()
            .AutoClear(true)
            .Columns([new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), .. columns])
            .StartAsync(context => work(context.AddTask(Markup.Escape(title), maxValue: 1)));

    /// <summary>Reports on the thread that does the work. <see cref="Progress{T}"/> would report late and out of order.</summary>
    internal sealed class Direct<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
