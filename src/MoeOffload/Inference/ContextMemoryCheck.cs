using System.Globalization;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Refuses a context that does not fit into memory. A system that promises more memory than it has would else end the process later,
/// while the KV cache is filled.
/// </summary>
internal static class ContextMemoryCheck
{
    // llama.cpp's own table of cells, which it makes for a simulation as well.
    private const long BytesPerCell = 64;

    /// <summary>Checks a context's size against free memory, precisely where a rough bound is not clearly below it.</summary>
    /// <param name="model">The model, loaded or simulated.</param>
    /// <param name="parameters">The context to come.</param>
    /// <param name="headLength">Values of a head in the KV cache, 0 where the model does not say.</param>
    /// <param name="devices">The devices that hold layers.</param>
    /// <param name="simulate">Counts what the context takes, without allocating it.</param>
    /// <exception cref="InferenceException">It does not fit.</exception>
    public static void Check(
        NativeModel model, ContextParameters parameters, int headLength, IReadOnlyList<DeviceInfo> devices, Func<MemoryBreakdown> simulate)
    {
        long free = HostMemory.Available();
        CheckCells(model, parameters, free);
        long least = devices.Where(device => device.FreeBytes > 0).Select(device => device.FreeBytes).Append(free).Min();
        if (Bound(model, parameters, headLength) < least / 2)
        {
            return;
        }

        foreach (MemoryUse use in simulate().Devices)
        {
            long deviceFree = devices.FirstOrDefault(device => device.Name == use.Device)?.FreeBytes ?? 0;
            long room = use.IsHost ? free : deviceFree > 0 ? deviceFree : long.MaxValue;
            if (use.ContextBytes + use.ComputeBytes > room)
            {
                throw Refuse(parameters, model, use.ContextBytes, use.ComputeBytes, use.Device, room);
            }
        }
    }

    /// <summary>Checks that the context's cells can be simulated.</summary>
    /// <exception cref="InferenceException">Already their table does not fit.</exception>
    public static void CheckCells(NativeModel model, ContextParameters parameters) => CheckCells(model, parameters, HostMemory.Available());

    private static void CheckCells(NativeModel model, ContextParameters parameters, long free)
    {
        long cells = parameters.CellCount(model.TrainedContextLength) * BytesPerCell;
        if (cells > free / 2)
        {
            throw Refuse(parameters, model, cells, 0, DeviceTotal.Host, free);
        }
    }

    private static InferenceException Refuse(ContextParameters parameters, NativeModel model, long context, long compute, string device, long free)
    {
        const double Mebibyte = 1 << 20;
        return new InferenceException(string.Create(
            CultureInfo.InvariantCulture,
            $"A context of {parameters.CellCount(model.TrainedContextLength)} tokens takes {context / Mebibyte:N0} MiB, and {compute / Mebibyte:N0} MiB to compute with, on {device}, where {free / Mebibyte:N0} MiB are free: set ContextLength, SequenceCount or MicroBatchSize lower, or a smaller KvCache type."));
    }

    // Keys and values as F32, and what attention without flash kernels and a layer of experts need for one micro-batch.
    private static double Bound(NativeModel model, ContextParameters parameters, int headLength)
    {
        double cells = parameters.CellCount(model.TrainedContextLength);
        double row = Math.Max(model.EmbeddingLength, (double)model.KeyValueHeadCount * Math.Max(256, headLength));
        double cache = cells * model.LayerCount * row * 2 * sizeof(float);
        double attention = cells * model.HeadCount * 2 * sizeof(float);
        double layer = (64.0 * model.EmbeddingLength + model.Vocabulary.Size) * sizeof(float);
        double state = model.IsRecurrent && parameters.SequenceCount > 8 ? double.PositiveInfinity : 0;
        return cache + Math.Min(parameters.MicroBatchSize, cells) * (attention + layer) + state;
    }
}
