using System.Text.Json.Nodes;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Synthesis;

namespace MoeOffload.Measurement.Benches;

/// <summary>Represents what a benchmark measures: a model, the devices that it can use, and its context.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Path">The path of its file, or of its first part.</param>
internal sealed record BenchSubject(string Name, string Path)
{
    private readonly Lazy<GgufMetadata> _metadata = new(() => GgufModelFiles.Open(Path).Metadata);

    /// <summary>Gets the options for loading. Each benchmark adds its own placement rules.</summary>
    public ModelOptions Load { get; init; } = new();

    /// <summary>Gets the options of the context.</summary>
    public ContextOptions Context { get; init; } = new();

    /// <summary>Gets the process of the RPC server on this machine that is the second device. Its memory is measured too.</summary>
    public int? RpcServerProcess { get; init; }

    /// <summary>Gets a value that indicates whether the weights are random numbers, according to the file.</summary>
    public bool IsSynthetic => _metadata.Value.TryGetBoolean(SyntheticModel.Key, out bool synthetic) && synthetic;

    /// <summary>Gets the number of layers of the model.</summary>
    public int LayerCount => Number("block_count");

    /// <summary>Gets the context length that the model was trained for; 0 if it is unknown.</summary>
    public int TrainedLength => Number("context_length");

    private bool HasExperts => Number("expert_count") > 0;

    /// <summary>Gets the devices that hold layers, without the CPU.</summary>
    /// <exception cref="NativeLibraryException">The native libraries are missing or have a different version.</exception>
    /// <exception cref="PlacementException">An RPC server cannot be reached.</exception>
    public IReadOnlyList<DeviceInfo> Accelerators()
    {
        IReadOnlyList<DeviceInfo> known = MoeModel.ListDevices(Load);
        return Load.Devices is { } names
            ? [.. known.Where(device => names.Contains(device.Name, StringComparer.OrdinalIgnoreCase) && device.Kind != DeviceKind.Cpu)]
            : [.. known.Where(device => device.Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu
                || (device.Kind == DeviceKind.Rpc && Load.RpcServers.Contains(device.Description)))];
    }

    /// <summary>Gets the placements to compare: offloaded and not, if there are an accelerator and experts.</summary>
    /// <inheritdoc cref="Accelerators" path="/exception"/>
    public IReadOnlyList<BenchPlacement> Placements()
    {
        if (Accelerators().Count == 0)
        {
            return [new BenchPlacement(BenchPlacement.Cpu, Load)];
        }

        ModelOptions load = Load with { RequireDevice = Load.RequireDevice ?? ModelOptions.AnyAccelerator };
        var device = new BenchPlacement(BenchPlacement.Device, load);
        return HasExperts ? [new BenchPlacement(BenchPlacement.Offload, load with { Placement = TensorPlacement.ExpertsToCpu() }), device] : [device];
    }

    /// <summary>Returns whether there is enough memory for the model in all placements at once, each with a context.</summary>
    /// <exception cref="MoeOffloadException">The model cannot be loaded at all.</exception>
    public bool FitTogether(IReadOnlyList<BenchPlacement> placements, ContextOptions context)
    {
        // The rest is left for other needs of the process and the system.
        const double Share = 0.9;
        IReadOnlyList<DeviceInfo> devices = MoeModel.ListDevices(Load);
        IEnumerable<(DeviceInfo? Device, long Bytes)> uses = placements
            .SelectMany(placement => MoeModel.EstimateMemory(Path, placement.Load, context).Devices)
            .Select(use => (devices.FirstOrDefault(device => IsIn(use, device)), use.TotalBytes));
        return uses.GroupBy(use => use.Device?.Name).All(group =>
            group.First().Device is not { FreeBytes: > 0 } device || group.Sum(use => use.Bytes) < Share * device.FreeBytes);
    }

    /// <summary>Creates a log that adds the fields of the benchmark, the model and the machine to each sample.</summary>
    /// <param name="bench">The benchmark.</param>
    /// <param name="log">Receives the samples.</param>
    /// <inheritdoc cref="Accelerators" path="/exception"/>
    public ISampleLog Head(string bench, ISampleLog log) => new HeadedLog(log, new JsonObject
    {
        ["bench"] = bench,
        ["model"] = Name,
        ["synthetic"] = IsSynthetic,
        ["accelerator"] = Accelerators() is { Count: > 0 } devices ? string.Join(", ", devices.Select(Describe)) : null,
    });

    // An RPC server on this machine uses system memory.
    private bool IsIn(MemoryUse use, DeviceInfo device) =>
        use.IsHost || RpcServerProcess is not null ? device.Kind == DeviceKind.Cpu : device.Name == use.Device;

    private static string Describe(DeviceInfo device) => device.Kind == DeviceKind.Rpc ? $"RPC server {device.Description}" : $"{device.Name} ({device.Description})";

    private int Number(string key) =>
        _metadata.Value.TryGetString(GgufKeys.Architecture, out string architecture) && _metadata.Value.TryGetInt32($"{architecture}.{key}", out int value) ? value : 0;
}
