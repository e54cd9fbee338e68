using System.CommandLine;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe plan</c>, which shows how much memory a model and its context would take with the options that are given.</summary>
internal sealed class PlanCommand : ICliCommand
{
    private readonly ModelOpener _opener;
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public PlanCommand(GlobalOptions global)
    {
        _opener = new ModelOpener(new ModelArgument(global), new LoadArguments(global), new ContextArguments());
        Command = new Command("plan", "Show how much memory a model takes on each device with the given options, without loading it") { _json };
        _opener.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        ModelOptions options = _opener.LoadOptions(invocation);
        ContextOptions context = _opener.ContextOptions(invocation);
        string? projector = ModelLoading.Run(() => MoeModel.FindProjector(entry.Path, options));
        MemoryBreakdown memory = ModelLoading.Run(() => MoeModel.EstimateMemory(entry.Path, options, context));
        IReadOnlyList<DeviceInfo> devices = ModelLoading.Run(() => MoeModel.ListDevices(options));
        var needs = memory.Devices.Select(use => (Use: use, Device: devices.FirstOrDefault(device => IsOf(device, use)))).ToList();
        var tooLarge = needs.Where(need => need.Device is { FreeBytes: > 0 } device && need.Use.TotalBytes > device.FreeBytes).ToList();
        if (invocation.Parsed.GetValue(_json))
        {
            JsonArray uses = MemoryReport.Describe(memory);
            for (int i = 0; i < needs.Count; i++)
            {
                uses[i]!["free_bytes"] = needs[i].Device?.FreeBytes;
            }

            Json.Write(
                invocation.Terminal.Out,
                new JsonObject { ["name"] = entry.Name, ["path"] = entry.Path, ["projector"] = projector, ["context_length"] = memory.ContextLength, ["fits"] = tooLarge.Count == 0, ["memory"] = uses });
            return ExitCode.Success;
        }

        invocation.Terminal.Out.WriteLine($"{entry.Name}, a context of {memory.ContextLength} tokens{(projector is null ? string.Empty : $", with the projector {Path.GetFileName(projector)}")}");
        var table = new Columns("memory of", ">weights", ">context", ">compute", ">total", ">free now");
        foreach ((MemoryUse use, DeviceInfo? device) in needs)
        {
            table.Add(
                use.IsHost ? "system" : use.Device,
                Size.Of(use.WeightBytes),
                Size.Of(use.ContextBytes),
                Size.Of(use.ComputeBytes),
                Size.Of(use.TotalBytes),
                device is { FreeBytes: > 0 } ? Size.Of(device.FreeBytes) : "?");
        }

        table.WriteTo(invocation.Terminal.Out);
        invocation.Terminal.Out.WriteLine(tooLarge switch
        {
            [] => "It fits.",
            _ when tooLarge.Exists(need => need.Use.IsHost) => "It does not fit into system memory: use a model with a smaller quantization, or a shorter context (-c). 'moe fit' shows what would fit.",
            _ => "It does not fit: keep more experts in system memory (--n-cpu-moe, --cpu-moe), or use a shorter context (-c). 'moe fit' chooses the placement.",
        });
        return ExitCode.Success;
    }

    private static bool IsOf(DeviceInfo device, MemoryUse use) => use.IsHost ? device.Kind == DeviceKind.Cpu : device.Name == use.Device;
}
