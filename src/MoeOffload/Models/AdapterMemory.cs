using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Models;

/// <summary>What a LoRA adapter takes where the tensors are that it changes.</summary>
internal static class AdapterMemory
{
    /// <summary>Checks that there is room for an adapter's tensors.</summary>
    /// <returns>Its size in bytes.</returns>
    /// <exception cref="ModelLoadException">It does not fit.</exception>
    public static long Check(GgufFile file, PlacementReport placement, IReadOnlyList<DeviceInfo> devices)
    {
        Dictionary<string, TensorLocation> locations = placement.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var needed = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (GgufTensorInfo tensor in file.Tensors)
        {
            // What is not of a pair was passed over.
            if (locations.TryGetValue(tensor.Name[..^".lora_a".Length], out TensorLocation? location))
            {
                string device = location.IsHost ? DeviceTotal.Host : location.Device;
                needed[device] = needed.GetValueOrDefault(device) + tensor.ByteCount;
            }
        }

        foreach ((string device, long bytes) in needed)
        {
            long free = device == DeviceTotal.Host ? HostMemory.Available() : devices.FirstOrDefault(info => info.Name == device)?.FreeBytes ?? 0;
            if (free > 0 && bytes > free)
            {
                const double Mebibyte = 1 << 20;
                throw new ModelLoadException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The adapter '{file.Path}' takes {bytes / Mebibyte:N0} MiB on {device}, where {free / Mebibyte:N0} MiB are free: dispose sessions or other adapters first."));
            }
        }

        return needed.Values.Sum();
    }
}
