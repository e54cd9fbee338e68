using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Terminals;
using Spectre.Console;

namespace MoeOffload.Cli.Options;

/// <summary>Downloads a model and shows the progress.</summary>
internal static class ModelDownload
{
    /// <summary>Downloads a model, unless it is in the cache already.</summary>
    /// <param name="invocation">The command line.</param>
    /// <param name="reference">The model, as <see cref="ModelReference.Parse"/> accepts it.</param>
    /// <param name="configure">Changes the options of the environment.</param>
    /// <exception cref="UsageException">The reference or an option is not valid.</exception>
    public static async Task<CatalogEntry> RunAsync(Invocation invocation, string reference, Func<PullOptions, PullOptions> configure)
    {
        ModelReference model;
        ModelPull pull;
        try
        {
            model = ModelReference.Parse(reference);
            pull = new ModelPull(configure(PullOptions.FromEnvironment()));
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            throw new UsageException(Failure.MessageOf(error));
        }

        using ModelPull owned = pull;
        return await ProgressBar.RunBytesAsync(
            invocation.Terminal,
            model.ToString(),
            bar => pull.PullAsync(model, new ProgressBar.Direct<PullProgress>(step => Show(invocation, bar, step)), invocation.Cancelled)).ConfigureAwait(false);
    }

    private static void Show(Invocation invocation, ProgressTask? bar, PullProgress step)
    {
        if (bar is null)
        {
            // Without a progress bar, only events that concern a waiting user are written.
            if (step.Stage == PullStage.Retrying)
            {
                invocation.Terminal.Error.WriteLine($"{step.Message} Trying again.");
            }

            return;
        }

        if (step.BytesTotal > 0)
        {
            bar.MaxValue = step.BytesTotal;
            bar.Value = step.BytesDone;
        }

        bar.Description = Markup.Escape(step.Stage switch
        {
            PullStage.Resolving => "Asking the hub",
            PullStage.Waiting => "Waiting for another download of this file",
            PullStage.Resuming => "Checking the partial download",
            PullStage.Retrying => $"{step.Message} Trying again",
            _ => step.File,
        });
    }
}
