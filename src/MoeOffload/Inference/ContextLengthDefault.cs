using MoeOffload.Gguf;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Inference;

/// <summary>Selects a context length for a model if <see cref="ContextOptions.ContextLength"/> is 0.</summary>
internal static class ContextLengthDefault
{
    // The maximum size of llama.cpp's bookkeeping for each cell.
    private const double BytesPerCell = 64;

    /// <summary>
    /// Returns options with a context length: the specified one, or the default for the model and the memory that its weights leave free.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="model">The model.</param>
    /// <param name="headLength">The number of values per head in the KV cache, or 0 if the model does not specify it.</param>
    /// <param name="devices">The devices that hold layers.</param>
    /// <param name="weights">
    /// The size of the weights in the memory of each device, in bytes, and in system memory under <see cref="DeviceTotal.Host"/>.
    /// </param>
    public static ContextOptions Resolve(
        ContextOptions options, NativeModel model, int headLength, IReadOnlyList<DeviceInfo> devices, IReadOnlyDictionary<string, long> weights)
    {
        if (options.ContextLength > 0)
        {
            return options;
        }

        long room = DefaultContextLength.Room(HostMemory.Total(), HostMemory.Available(), weights.GetValueOrDefault(DeviceTotal.Host));
        if (options.KvCache.Offload != false)
        {
            room = devices.Where(device => device is { TotalBytes: > 0, FreeBytes: > 0 })
                .Select(device => DefaultContextLength.Room(device.TotalBytes, device.FreeBytes, weights.GetValueOrDefault(device.Name)))
                .Append(room)
                .Min();
        }

        return options with { ContextLength = DefaultContextLength.Choose(model.TrainedContextLength, BytesPerToken(options, model, headLength), room) };
    }

    // Assumes that all layers are alike. That is too much if some are recurrent or have a sliding window, but never too little.
    private static double BytesPerToken(ContextOptions options, NativeModel model, int headLength)
    {
        int heads = model.KeyValueHeadCount > 0 ? model.KeyValueHeadCount : Math.Max(model.HeadCount, 1);
        double head = headLength > 0 ? headLength : (double)model.EmbeddingLength / Math.Max(model.HeadCount, 1);
        double values = (model.LayerCount + (double)model.MtpInfo.LayerCount) * heads * head;
        double bits = Bits(options.KvCache.KeyType) + Bits(options.KvCache.ValueType);
        return (values * bits / 8) + BytesPerCell;
    }

    private static double Bits(GgmlType? type) => GgmlTypeInfo.Get(type ?? GgmlType.F16).BitsPerElement;
}
