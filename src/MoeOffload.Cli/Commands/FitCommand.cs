using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe fit</c>, which chooses where a model is placed, on this machine or on one that the options describe.</summary>
internal sealed class FitCommand : ICliCommand
{
    private readonly ModelArgument _model;
    private readonly ModelOpener _opener;
    private readonly FitArguments _fit = new();
    private readonly Option<bool> _all = Opt.Flag("Show for each model on this machine whether and how it fits", "--all");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public FitCommand(GlobalOptions global)
    {
        _model = new ModelArgument(global);
        _opener = new ModelOpener(_model, new LoadArguments(global), new ContextArguments(hasDraftModel: true), new AdapterArguments());
        Command = new Command("fit", "Choose the placement with which a model fits and is fastest, without loading it") { _all, _json };
        _opener.AddTo(Command);
        _fit.AddTo(Command);
        Command.Validators.Add(result =>
        {
            if (result.GetValue(_all) && result.GetResult(_model.Name) is { Implicit: false, Tokens.Count: > 0 })
            {
                result.AddError("--all and NAME cannot be combined: --all answers for each model.");
            }
        });
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ModelOptions options = _opener.LoadOptions(invocation);
        ContextOptions context = _opener.ContextOptions(invocation) with { SequenceCount = _fit.Parallel(invocation.Parsed) };
        ModelCompanions? companions = _opener.Companions(invocation);
        FitOptions fit = _fit.Read(invocation.Parsed);
        fit = fit with
        {
            Margin = _opener.FitMargin(invocation) ?? fit.Margin,
            Adapters = [.. companions?.Adapters.Select(adapter => adapter.Path) ?? []],
            DraftModelPath = companions?.DraftModelPath,
        };
        bool asJson = invocation.Parsed.GetValue(_json);
        if (invocation.Parsed.GetValue(_all))
        {
            WriteAll(invocation, entry => ModelLoading.Run(() => MoeModel.Fit(entry.Path, options, context, fit)), asJson);
            return ExitCode.Success;
        }

        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        PlacementPlan plan = ModelLoading.Run(() => MoeModel.Fit(entry.Path, options, context, fit));
        if (asJson)
        {
            Json.Write(invocation.Terminal.Out, FitReport.Describe(entry, plan));
        }
        else
        {
            FitReport.Write(invocation.Terminal.Out, entry, plan);
        }

        return plan.Fits ? ExitCode.Success : ExitCode.LoadFailed;
    }

    private void WriteAll(Invocation invocation, Func<CatalogEntry, PlacementPlan> plan, bool asJson)
    {
        var objects = new List<JsonObject>();
        var table = new Columns("name", ">size", "fits", "how");
        foreach (CatalogEntry entry in _model.Catalog(invocation.Parsed).Discover())
        {
            invocation.Cancelled.ThrowIfCancellationRequested();
            try
            {
                PlacementPlan made = plan(entry);
                objects.Add(FitReport.Describe(entry, made));
                table.Add(entry.Name, Size.Of(entry.Bytes), made.Fits ? "yes" : "no", made.Fits ? FitReport.How(made) : made.Shortage ?? string.Empty);
            }
            catch (LoadFailedException error)
            {
                objects.Add(new JsonObject { ["name"] = entry.Name, ["path"] = entry.Path, ["fits"] = false, ["failure"] = Failure.LineOf(error) });
                table.Add(entry.Name, Size.Of(entry.Bytes), "no", Failure.LineOf(error));
            }
        }

        if (asJson)
        {
            Json.Write(invocation.Terminal.Out, Json.Array(objects));
        }
        else
        {
            table.WriteTo(invocation.Terminal.Out);
        }
    }
}
