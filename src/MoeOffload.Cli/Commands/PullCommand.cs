using System.CommandLine;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Reports;

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
        CatalogEntry entry = await ModelDownload.RunAsync(
            invocation,
            invocation.Parsed.GetValue(_reference)!,
            options => invocation.Parsed.GetValue(_revision) is { } revision ? options with { Revision = revision } : options).ConfigureAwait(false);
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
}
