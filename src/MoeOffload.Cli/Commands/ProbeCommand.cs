using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe probe</c>, which checks that a model loads and that its context fits.</summary>
internal sealed class ProbeCommand : ICliCommand
{
    private readonly ModelOpener _opener;
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public ProbeCommand(GlobalOptions global)
    {
        _opener = new ModelOpener(new ModelArgument(global), new LoadArguments(global), new ContextArguments());
        Command = new Command("probe", "Load a model to check that it works") { _json };
        _opener.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        CatalogEntry entry = _opener.Find(invocation);
        long start = Stopwatch.GetTimestamp();
        using MoeModel model = await _opener.LoadAsync(invocation, entry).ConfigureAwait(false);
        using GenerationSession session = await ModelOpener.OpenSessionAsync(model, _opener.ContextOptions(invocation)).ConfigureAwait(false);
        TimeSpan time = Stopwatch.GetElapsedTime(start);
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, new JsonObject
            {
                ["ok"] = true,
                ["name"] = entry.Name,
                ["path"] = entry.Path,
                ["load_ms"] = time.TotalMilliseconds,
                ["context_length"] = session.ContextLength,
                ["placement"] = MemoryReport.Describe(model.Placement),
                ["memory"] = MemoryReport.Describe(session.Memory),
            });
            return ExitCode.Success;
        }

        invocation.Terminal.Out.WriteLine($"ok: loaded {entry.Name}");
        if (invocation.IsVerbose)
        {
            model.Placement.WriteTo(invocation.Terminal.Out);
            invocation.Terminal.Out.WriteLine();
            session.Memory.WriteTo(invocation.Terminal.Out);
        }

        return ExitCode.Success;
    }
}
