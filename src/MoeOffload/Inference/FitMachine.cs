using System.Net;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>Represents the memory that a placement is planned for: that of this machine, or of one that the options describe.</summary>
/// <param name="Devices">The devices that can hold layers.</param>
/// <param name="HostBytes">The system memory, in bytes.</param>
/// <param name="Options">The options for loading, with the devices.</param>
/// <param name="IsHere">Whether this machine has the devices, so that llama.cpp can lay out a model on them.</param>
internal sealed record FitMachine(IReadOnlyList<PlacementDevice> Devices, long HostBytes, ModelOptions Options, bool IsHere)
{
    /// <summary>Finds the devices.</summary>
    /// <exception cref="PlacementException">A device in the options is unknown, or a required one is missing.</exception>
    public static FitMachine Find(ModelOptions options, FitOptions fit)
    {
        long host = fit.HostBytes ?? HostMemory.Available();
        List<NativeDevice> found = ModelLoader.SelectDevices(options);
        if (options.SplitMode == SplitMode.None && found.Count > 1)
        {
            found = [found[Math.Min(options.MainGpu ?? 0, found.Count - 1)]];
        }

        if (fit.DeviceBytes is { } sizes && sizes.Count > found.Count)
        {
            ModelOptions processor = options with { Devices = [], RpcServers = [], RequireDevice = null };
            return new FitMachine([.. sizes.Select((bytes, i) => new PlacementDevice($"GPU{i}", bytes))], host, processor, IsHere: false);
        }

        PlacementDevice[] devices =
        [
            .. found.Take(fit.DeviceBytes?.Count ?? found.Count).Select((device, i) => new PlacementDevice(device.Name, fit.DeviceBytes?[i] ?? device.ReadMemory().Free)
            {
                Buffer = NativeBufferType.Of([device])[0].Name,
                SharesHostMemory = SharesHost(device),
            }),
        ];
        ModelOptions selected = options.SplitMode == SplitMode.None ? options : options with { Devices = [.. devices.Select(device => device.Name)] };
        return new FitMachine(devices, host, selected, IsHere: true);
    }

    // An RPC server on this machine computes in the same memory, if its own device does.
    private static bool SharesHost(NativeDevice device) => device.Kind switch
    {
        NativeDeviceKind.IntegratedGpu => true,
        NativeDeviceKind.Rpc => IsLoopback(device.Description),
        _ => false,
    };

    private static bool IsLoopback(string server)
    {
        string host = server[..Math.Max(0, server.LastIndexOf(':'))].Trim('[', ']');
        return host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }
}
