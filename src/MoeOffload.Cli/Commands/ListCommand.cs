using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe list</c>, which lists the models by name.</summary>
internal sealed class ListCommand : ICliCommand
{
    private readonly ModelArgument _model;
    private readonly Option<bool> _short = Opt.Flag("Print only the names", "--short", "-s");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public ListCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        Command = new Command("list", "List the models on this machine by name") { _short, _json };
    }

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        IReadOnlyList<CatalogEntry> entries = _model.Catalog(invocation.Parsed).Discover();
        TextWriter output = invocation.Terminal.Out;
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(output, Json.Array(entries.Select(Describe)));
        }
        else if (invocation.Parsed.GetValue(_short))
        {
            foreach (CatalogEntry entry in entries)
            {
                output.WriteLine(entry.Name);
            }
        }
        else
        {
            var columns = new Columns("name", ">size", "found in");
            foreach (CatalogEntry entry in entries)
            {
                columns.Add(entry.Name, Size.Of(entry.Bytes), Place(entry));
            }

            columns.WriteTo(output);
            if (entries.Count == 0)
            {
                invocation.Terminal.Error.WriteLine("No models were found: download one with 'moe pull ORG/REPO[:QUANT]', or add directories with --model-dirs.");
            }
        }

        return Task.FromResult(ExitCode.Success);
    }

    /// <summary>Converts an entry to JSON.</summary>
    public static JsonObject Describe(CatalogEntry entry) => new()
    {
        ["name"] = entry.Name,
        ["path"] = entry.Path,
        ["bytes"] = entry.Bytes,
        ["source"] = SourceOf(entry),
    };

    /// <summary>Gets the display name of the place in which an entry was found.</summary>
    public static string Place(CatalogEntry entry) => entry.Source switch
    {
        ModelSource.HuggingFace => "Hugging Face cache",
        ModelSource.LmStudio => "LM Studio",
        ModelSource.Ollama => "Ollama",
        _ => Path.GetDirectoryName(entry.Path) ?? entry.Path,
    };

    private static string SourceOf(CatalogEntry entry) => entry.Source switch
    {
        ModelSource.HuggingFace => "hugging_face",
        ModelSource.LmStudio => "lm_studio",
        ModelSource.Ollama => "ollama",
        _ => "directory",
    };
}
