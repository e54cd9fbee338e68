using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Models;

/// <summary>Calculates the memory that a LoRA adapter takes on the devices of the tensors that it changes.</summary>
internal static class AdapterMemory
{
    /// <summary>Checks that an adapter's tensors fit in memory.</summary>
    /// <returns>The adapter's size, in bytes.</returns>
    /// <exception cref="ModelLoadException">The adapter does not fit in memory.</exception>
    public static long Check(GgufFile file, PlacementReport placement, IReadOnlyList<DeviceInfo> devices)
    {
        Dictionary<string, long> needed = ByDevice(file, placement);
        foreach ((string device, long bytes) in needed)
        {
            long free = device == DeviceTotal.Host ? HostMemory.Available() : devices.FirstOrDefault(info => info.Name == device)?.FreeBytes ?? 0;
            if (free > 0 && bytes > free)
            {
                const double Mebibyte = 1 << 20;
                throw new ModelLoadException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The adapter '{file.Path}' takes {bytes / Mebibyte:N0} MiB on {device}, which has {free / Mebibyte:N0} MiB of free memory. Dispose sessions or other adapters first."));
            }
        }

        return needed.Values.Sum();
    }

    /// <summary>Calculates the memory that an adapter takes on each device, in bytes.</summary>
    public static Dictionary<string, long> ByDevice(GgufFile file, PlacementReport placement)
    {
        Dictionary<string, TensorLocation> locations = placement.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var needed = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (GgufTensorInfo tensor in file.Tensors)
        {
            // Tensors that are not one of a pair are ignored when the adapter is loaded.
            if (locations.TryGetValue(tensor.Name[..^".lora_a".Length], out TensorLocation? location))
            {
                string device = location.IsHost ? DeviceTotal.Host : location.Device;
                needed[device] = needed.GetValueOrDefault(device) + tensor.ByteCount;
            }
        }

        return needed;
    }
}
