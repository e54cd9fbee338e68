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
        _opener = ModelOpener.ForAnswers(global);
        Command = new Command("probe", "Load a model to check that it works") { _json };
        _opener.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        using OpenModel opened = await _opener.OpenAsync(invocation, entry, _opener.ContextOptions(invocation)).ConfigureAwait(false);
        (MoeModel model, GenerationSession session) = (opened.Model, opened.Session);
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
