using System.Text.Json.Nodes;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Samples;
using MoeOffload.Measurement.Synthesis;

namespace MoeOffload.Measurement.Benches;

/// <summary>What a bench measures: a model, the devices that it may use, and its context.</summary>
/// <param name="Name">What the model is called.</param>
/// <param name="Path">Its file, or the first of its parts.</param>
internal sealed record BenchSubject(string Name, string Path)
{
    private readonly Lazy<GgufMetadata> _metadata = new(() => GgufModelFiles.Open(Path).Metadata);

    /// <summary>How it is loaded; placement rules are each bench's own.</summary>
    public ModelOptions Load { get; init; } = new();

    /// <summary>Its context.</summary>
    public ContextOptions Context { get; init; } = new();

    /// <summary>The process of an RPC server on this machine that is the second device; its memory is measured too.</summary>
    public int? RpcServerProcess { get; init; }

    /// <summary>Whether the weights are random numbers, as the file says.</summary>
    public bool IsSynthetic => _metadata.Value.TryGetBoolean(SyntheticModel.Key, out bool synthetic) && synthetic;

    /// <summary>Layers of the model.</summary>
    public int LayerCount => Number("block_count");

    /// <summary>Tokens that the model was trained for; 0 where it does not say.</summary>
    public int TrainedLength => Number("context_length");

    private bool HasExperts => Number("expert_count") > 0;

    /// <summary>The devices beside the CPU that hold layers.</summary>
    /// <exception cref="NativeLibraryException">The native libraries are missing or of another version.</exception>
    /// <exception cref="PlacementException">An RPC server cannot be reached.</exception>
    public IReadOnlyList<DeviceInfo> Accelerators()
    {
        IReadOnlyList<DeviceInfo> known = MoeModel.ListDevices(Load);
        return Load.Devices is { } names
            ? [.. known.Where(device => names.Contains(device.Name, StringComparer.OrdinalIgnoreCase) && device.Kind != DeviceKind.Cpu)]
            : [.. known.Where(device => device.Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu
                || (device.Kind == DeviceKind.Rpc && Load.RpcServers.Contains(device.Description)))];
    }

    /// <summary>The ways in which the model is compared: offloaded and not, where there are an accelerator and experts.</summary>
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

    /// <summary>Whether memory has room for the model in all placements at once, each with a context.</summary>
    /// <exception cref="MoeOffloadException">It cannot be loaded at all.</exception>
    public bool FitTogether(IReadOnlyList<BenchPlacement> placements, ContextOptions context)
    {
        // What else the process and the system need meanwhile.
        const double Share = 0.9;
        IReadOnlyList<DeviceInfo> devices = MoeModel.ListDevices(Load);
        IEnumerable<(DeviceInfo? Device, long Bytes)> uses = placements
            .SelectMany(placement => MoeModel.EstimateMemory(Path, placement.Load, context).Devices)
            .Select(use => (devices.FirstOrDefault(device => IsIn(use, device)), use.TotalBytes));
        return uses.GroupBy(use => use.Device?.Name).All(group =>
            group.First().Device is not { FreeBytes: > 0 } device || group.Sum(use => use.Bytes) < Share * device.FreeBytes);
    }

    /// <summary>A log whose samples begin with what a bench, a model and a machine have in common.</summary>
    /// <param name="bench">The bench.</param>
    /// <param name="log">Gets the samples.</param>
    /// <inheritdoc cref="Accelerators" path="/exception"/>
    public ISampleLog Head(string bench, ISampleLog log) => new HeadedLog(log, new JsonObject
    {
        ["bench"] = bench,
        ["model"] = Name,
        ["synthetic"] = IsSynthetic,
        ["accelerator"] = Accelerators() is { Count: > 0 } devices ? string.Join(", ", devices.Select(Describe)) : null,
    });

    // The memory of an RPC server on this machine is the system's.
    private bool IsIn(MemoryUse use, DeviceInfo device) =>
        use.IsHost || RpcServerProcess is not null ? device.Kind == DeviceKind.Cpu : device.Name == use.Device;

    private static string Describe(DeviceInfo device) => device.Kind == DeviceKind.Rpc ? $"RPC server {device.Description}" : $"{device.Name} ({device.Description})";

    private int Number(string key) =>
        _metadata.Value.TryGetString(GgufKeys.Architecture, out string architecture) && _metadata.Value.TryGetInt32($"{architecture}.{key}", out int value) ? value : 0;
}
