using System.Text;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Finds the devices that options mean, and describes devices.</summary>
internal static class DeviceSelection
{
    /// <summary>Lists the devices that a model with these options uses for its layers, in order.</summary>
    /// <remarks>
    /// As llama.cpp chooses: RPC devices first, then GPUs, then integrated GPUs if there is no other; but only the RPC servers that the
    /// options name, since llama.cpp also remembers those of other models in the process.
    /// </remarks>
    /// <exception cref="PlacementException">A named device is unknown, or a required one is missing.</exception>
    public static List<NativeDevice> Select(ModelOptions options)
    {
        List<NativeDevice> all = NativeDevice.All();
        List<NativeDevice> selected = options.Devices is { } names ? ByName(all, names) : Default(all, options.RpcServers);
        Require(options.RequireDevice, selected, all);
        return selected;
    }

    /// <summary>Begins a message about a device that <see cref="ModelOptions.RequireDevice"/> asks for.</summary>
    public static string Wanted(string required) => required == ModelOptions.AnyAccelerator ? "An accelerator" : $"Device '{required}'";

    /// <summary>Describes all devices of this process, or those of some names, with their memory as of now.</summary>
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

        // llama.cpp says of system memory that all of it is free.
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
                    $"Device '{name}' holds no layers. To run on the CPU alone set GpuLayers = 0; to keep tensors there use a placement rule.");
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
