using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Templates;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence figures</c>, which lists the names that a template can use and their values.</summary>
internal sealed class EvidenceFiguresCommand : ICliCommand
{
    private readonly Argument<string> _folder = new("DIR") { Description = "The folder of evidence" };
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public EvidenceFiguresCommand() => Command = new Command("figures", "List the names of a folder's figures, facts, tables and plots, as templates use them") { _folder, _json };

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        var names = new EvidenceNames(EvidenceManifest.OpenFolder(invocation.Parsed.GetValue(_folder)!));
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, new JsonObject
            {
                ["figures"] = Json.Array(names.Figures.Select(figure => figure.ToJson())),
                ["facts"] = new JsonObject(names.Facts.Select(fact => KeyValuePair.Create(fact.Key, (JsonNode?)fact.Value))),
                ["blocks"] = Json.Array(names.Blocks),
            });
            return Task.FromResult(ExitCode.Success);
        }

        var table = new Columns("name", "value");
        foreach (Figure figure in names.Figures)
        {
            table.Add(figure.Id, Units.Text(figure));
        }

        foreach ((string name, string fact) in names.Facts)
        {
            table.Add(name, invocation.Terminal.Harmless(fact.ReplaceLineEndings(" ")));
        }

        foreach (string block in names.Blocks)
        {
            table.Add(block, block.StartsWith(EvidenceNames.Plot, StringComparison.Ordinal) ? "(a plot)" : "(a table)");
        }

        table.WriteTo(invocation.Terminal.Out);
        return Task.FromResult(ExitCode.Success);
    }
}
