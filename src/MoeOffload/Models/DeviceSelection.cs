using System.Text;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Selects the devices that options specify, and describes devices.</summary>
internal static class DeviceSelection
{
    /// <summary>Lists the devices that a model with these options uses for its layers, in order.</summary>
    /// <remarks>
    /// The order is llama.cpp's: RPC devices, then GPUs, or integrated GPUs if there are no others. Only the RPC servers in the options are
    /// used, since llama.cpp also keeps those of other models in the process.
    /// </remarks>
    /// <exception cref="PlacementException">A device in the options is unknown, or a required one is missing.</exception>
    public static List<NativeDevice> Select(ModelOptions options)
    {
        List<NativeDevice> all = NativeDevice.All();
        List<NativeDevice> selected = options.Devices is { } names ? ByName(all, names) : Default(all, options.RpcServers);
        Require(options.RequireDevice, selected, all);
        return selected;
    }

    /// <summary>Gets the words for a device that <see cref="ModelOptions.RequireDevice"/> requires, to begin a message with.</summary>
    public static string Wanted(string required) => required == ModelOptions.AnyAccelerator ? "An accelerator" : $"Device '{required}'";

    /// <summary>Describes all devices of this process, or those with the specified names, with the memory that is free now.</summary>
    public static DeviceInfo[] Describe(IReadOnlyCollection<string>? names = null) =>
        [.. NativeDevice.All().Where(device => names is null || names.Contains(device.Name)).Select(Describe)];

    private static DeviceInfo Describe(NativeDevice device)
    {
        (long free, long total) = device.ReadMemory();
        DeviceKind kind = device.Kind switch
        {
            NativeDeviceKind.Cpu => DeviceKind.Cpu,
            NativeDeviceKind.IntegratedGpu => DeviceKind.IntegratedGpu,
            NativeDeviceKind.Accelerator => DeviceKind.Accelerator,
            NativeDeviceKind.Rpc => DeviceKind.Rpc,
            _ => DeviceKind.Gpu,
        };

        // llama.cpp reports all system memory as free.
        long available = kind == DeviceKind.Cpu ? Math.Min(free, HostMemory.Available()) : free;
        return new DeviceInfo(device.Name, device.Description, kind, available, total);
    }

    private static List<NativeDevice> ByName(List<NativeDevice> all, IReadOnlyList<string> names)
    {
        List<NativeDevice> selected = [];
        foreach (string name in names)
        {
            int at = all.FindIndex(device => string.Equals(device.Name, name, StringComparison.OrdinalIgnoreCase));
            if (at < 0)
            {
                throw new PlacementException($"There is no device '{name}'. {Known(all)}");
            }

            if (!all[at].HoldsLayers)
            {
                throw new PlacementException(
                    $"Device '{name}' cannot hold layers. Set GpuLayers = 0 to run only on the CPU, or use a placement rule to keep tensors there.");
            }

            selected.Add(all[at]);
        }

        return selected;
    }

    private static List<NativeDevice> Default(List<NativeDevice> all, IReadOnlyList<string> servers)
    {
        List<NativeDevice> selected =
            [.. all.Where(device => device.Kind == NativeDeviceKind.Rpc && servers.Contains(device.Description))];
        selected.AddRange(all.Where(device => device.Kind == NativeDeviceKind.Gpu));
        if (!selected.Exists(device => device.Kind == NativeDeviceKind.Gpu))
        {
            selected.AddRange(all.Where(device => device.Kind == NativeDeviceKind.IntegratedGpu));
        }

        return selected;
    }

    private static void Require(string? required, List<NativeDevice> selected, List<NativeDevice> all)
    {
        if (required is null
            || (required == ModelOptions.AnyAccelerator && selected.Count > 0)
            || selected.Exists(device => string.Equals(device.Name, required, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        var message = new StringBuilder($"{Wanted(required)} is required, but the model would run without it. {Known(all)}");
        foreach (string reason in NativeRuntime.UnavailableBackends)
        {
            message.Append(" Not loaded: ").Append(reason).Append('.');
        }

        throw new PlacementException(message.ToString());
    }

    private static string Known(List<NativeDevice> all) =>
        $"Known devices: {string.Join(", ", all.Select(device => $"{device.Name} ({device.Description})"))}.";
}
