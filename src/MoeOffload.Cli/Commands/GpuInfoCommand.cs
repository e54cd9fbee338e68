using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Machine;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe gpu-info</c>, which shows devices, memory, driver, processor features, and the libraries that were found.</summary>
internal sealed class GpuInfoCommand : ICliCommand
{
    private readonly LoadArguments _load;
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public GpuInfoCommand(GlobalOptions global)
    {
        _load = new LoadArguments(global);
        Command = new Command("gpu-info", "Show devices, their memory, the driver, and the backends that were found") { _json };
        _load.AddTo(Command);
    }

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        ModelOptions options = _load.Read(invocation.Parsed) with { LoggerFactory = invocation.Loggers };
        RuntimeInfo runtime = ModelLoading.Run(() => MoeModel.DescribeRuntime(options));
        IReadOnlyList<DeviceInfo> devices = ModelLoading.Run(() => MoeModel.ListDevices(options));
        using NvidiaDriver? nvidia = NvidiaDriver.TryOpen();
        string? driver = nvidia?.ReadVersion();
        if (invocation.Parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, Describe(runtime, devices, driver));
        }
        else
        {
            Write(invocation.Terminal.Out, runtime, devices, driver);
        }

        return Task.FromResult(ExitCode.Success);
    }

    private static void Write(TextWriter output, RuntimeInfo runtime, IReadOnlyList<DeviceInfo> devices, string? driver)
    {
        var table = new Columns("device", "kind", ">free", ">memory", "what it is");
        foreach (DeviceInfo device in devices)
        {
            table.Add(
                device.Name,
                NameOf(device.Kind),
                device.TotalBytes > 0 ? Size.Of(device.FreeBytes) : "?",
                device.TotalBytes > 0 ? Size.Of(device.TotalBytes) : "?",
                device.Description);
        }

        table.WriteTo(output);
        output.WriteLine();
        var backends = new Columns("backend", "in use", "library");
        foreach (BackendLibrary backend in runtime.Backends)
        {
            backends.Add(backend.Name, backend.LoadError is null ? "yes" : $"no: {backend.LoadError}", backend.Path);
        }

        backends.WriteTo(output);
        output.WriteLine();
        output.WriteLine($"NVIDIA driver: {driver ?? "none"}");
        output.WriteLine($"llama.cpp {runtime.LlamaCppVersion} in {runtime.Directory}");
        foreach (IGrouping<string, string> backend in runtime.Features.GroupBy(feature => feature.Split(": ")[0], feature => feature.Split(": ")[^1]))
        {
            output.WriteLine($"{backend.Key} features: {string.Join(", ", backend)}");
        }

        output.WriteLine($"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} processors for this process, {RuntimeInformation.FrameworkDescription}");
    }

    private static JsonObject Describe(RuntimeInfo runtime, IReadOnlyList<DeviceInfo> devices, string? driver) => new()
    {
        ["devices"] = Json.Array(devices.Select(device => new JsonObject
        {
            ["name"] = device.Name,
            ["description"] = device.Description,
            ["kind"] = NameOf(device.Kind),
            ["free_bytes"] = device.FreeBytes,
            ["total_bytes"] = device.TotalBytes,
        })),
        ["backends"] = Json.Array(runtime.Backends.Select(backend => new JsonObject
        {
            ["name"] = backend.Name,
            ["path"] = backend.Path,
            ["loaded"] = backend.LoadError is null,
            ["reason"] = backend.LoadError,
        })),
        ["nvidia_driver"] = driver,
        ["llama_cpp"] = runtime.LlamaCppVersion,
        ["native_directory"] = runtime.Directory,
        ["features"] = Json.Array(runtime.Features),
        ["system"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        ["processors"] = Environment.ProcessorCount,
    };

    private static string NameOf(DeviceKind kind) => kind switch
    {
        DeviceKind.Gpu => "GPU",
        DeviceKind.IntegratedGpu => "integrated GPU",
        DeviceKind.Rpc => "RPC",
        DeviceKind.Accelerator => "accelerator",
        _ => "CPU",
    };
}
