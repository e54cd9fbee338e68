using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe discover</c>, which shows what each model file contains.</summary>
internal sealed class DiscoverCommand : ICliCommand
{
    private readonly ModelArgument _model;
    private readonly Option<bool> _llmOnly = Opt.Flag("Leave out files that cannot generate text: encoders, projectors, adapters, and damaged files", "--llm-only");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public DiscoverCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        Command = new Command("discover", "Search for models, and show what each file contains") { _llmOnly, _json };
    }

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        bool onlyLanguage = invocation.Parsed.GetValue(_llmOnly);
        var found = new List<(CatalogEntry Entry, ModelSummary Summary)>();
        foreach (CatalogEntry entry in _model.Catalog(invocation.Parsed).Discover())
        {
            invocation.Cancelled.ThrowIfCancellationRequested();
            ModelSummary summary = ModelSummary.TryRead(entry.Path);
            if (!onlyLanguage || summary.ContinuesText)
            {
                found.Add((entry, summary));
            }
        }

        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, Json.Array(found.Select(item => Describe(item.Entry, item.Summary))));
            return Task.FromResult(ExitCode.Success);
        }

        var columns = new Columns("name", "architecture", ">parameters", "experts", "type", ">size", "found in");
        foreach ((CatalogEntry entry, ModelSummary summary) in found)
        {
            columns.Add(
                entry.Name,
                summary.Failure is null ? summary.Architecture : "(damaged)",
                Size.OfCount(summary.ParameterCount),
                summary.ExpertCount > 0 ? $"{summary.ExpertUsedCount} of {summary.ExpertCount}" : "-",
                summary.MainType,
                Size.Of(entry.Bytes),
                ListCommand.Place(entry));
        }

        columns.WriteTo(invocation.Terminal.Out);
        return Task.FromResult(ExitCode.Success);
    }

    private static JsonObject Describe(CatalogEntry entry, ModelSummary summary)
    {
        JsonObject json = ListCommand.Describe(entry);
        json["architecture"] = summary.Architecture;
        json["parameters"] = summary.ParameterCount;
        json["layers"] = summary.LayerCount;
        json["experts"] = summary.ExpertCount;
        json["experts_used"] = summary.ExpertUsedCount;
        json["type"] = summary.MainType;
        json["continues_text"] = summary.ContinuesText;
        json["failure"] = summary.Failure;
        return json;
    }
}
