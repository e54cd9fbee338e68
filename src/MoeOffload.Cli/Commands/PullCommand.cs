using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Reports;
using Spectre.Console;
using Size = MoeOffload.Measurement.Reports.Size;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe pull</c>, which downloads a model from a hub.</summary>
internal sealed class PullCommand : ICliCommand
{
    private readonly Argument<string> _reference = new("ORG/REPO[:QUANT]")
    {
        Description = "The model, such as ggml-org/gpt-oss-20b-GGUF; without QUANT, Q4_K_M or the only model of the repository",
    };

    private readonly Option<string?> _revision = Opt.Text("NAME", "The branch, tag or commit; the default is main", "--revision");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public PullCommand() => Command = new Command("pull", "Download a model from Hugging Face, or from HF_ENDPOINT, into the Hugging Face cache") { _reference, _revision, _json };

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ModelReference reference;
        PullOptions options;
        ModelPull pull;
        try
        {
            reference = ModelReference.Parse(invocation.Parsed.GetValue(_reference)!);
            options = PullOptions.FromEnvironment();
            if (invocation.Parsed.GetValue(_revision) is { } revision)
            {
                options = options with { Revision = revision };
            }

            pull = new ModelPull(options);
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            throw new UsageException(Failure.MessageOf(error));
        }

        using ModelPull owned = pull;
        CatalogEntry entry = await ProgressBar.RunBytesAsync(
            invocation.Terminal,
            reference.ToString(),
            bar => pull.PullAsync(reference, new ProgressBar.Direct<PullProgress>(step => Show(invocation, bar, step)), invocation.Cancelled)).ConfigureAwait(false);
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, ListCommand.Describe(entry));
        }
        else
        {
            invocation.Terminal.Out.WriteLine($"{entry.Name}  {Size.Of(entry.Bytes)}  {entry.Path}");
        }

        return ExitCode.Success;
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
