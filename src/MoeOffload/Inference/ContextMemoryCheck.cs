using System.Globalization;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Rejects contexts that do not fit into memory. Otherwise, a system that overcommits memory would end the process later, while the KV
/// cache is filled.
/// </summary>
internal static class ContextMemoryCheck
{
    // The maximum size of llama.cpp's bookkeeping for each cell, which it allocates for a simulation as well.
    private const long BytesPerCell = 64;

    // Beyond this length per sequence, the caches of sliding windows no longer grow, and everything else grows linearly.
    private const int EvenLength = 1 << 14;

    /// <summary>
    /// Compares the size of a context with the free memory. A rough bound is computed first, and the precise size only if the bound is not
    /// clearly smaller.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="parameters">The parameters of the context.</param>
    /// <param name="headLength">The number of values per head in the KV cache, or 0 if the model does not specify it.</param>
    /// <param name="devices">The devices that hold layers.</param>
    /// <param name="simulate">A function that computes the memory of the context with another length, without allocating it.</param>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    public static void Check(
        NativeModel model, ContextParameters parameters, int headLength, IReadOnlyList<DeviceInfo> devices, Func<int, MemoryBreakdown> simulate)
    {
        long free = HostMemory.Available();
        long least = devices.Where(device => device.FreeBytes > 0).Select(device => device.FreeBytes).Append(free).Min();
        double outputs = ((parameters.OutputCount * (double)(model.Vocabulary.Size + model.EmbeddingLength))
            + (2.0 * parameters.HiddenCount * model.MtpInfo.Width)) * sizeof(float);
        if (Bound(model, parameters, headLength) + outputs < least / 2)
        {
            return;
        }

        long cells = parameters.CellCount(model.TrainedContextLength);
        int near = EvenLength * parameters.PartCount;
        MemoryBreakdown one = simulate((int)Math.Min(near, cells));
        MemoryBreakdown two = cells <= near ? one : simulate(2 * near);
        foreach ((MemoryUse before, MemoryUse after) in one.Devices.Zip(two.Devices))
        {
            double growth = Math.Max(0, cells - near) / (double)near;
            double bytes = Size(before) + (growth * (Size(after) - Size(before))) + (before.IsHost ? (cells * BytesPerCell) + outputs : 0);
            long deviceFree = devices.FirstOrDefault(device => device.Name == before.Device)?.FreeBytes ?? 0;
            long room = before.IsHost ? free : deviceFree > 0 ? deviceFree : long.MaxValue;
            if (bytes > room)
            {
                throw Refuse(cells, bytes, before.Device, room);
            }
        }
    }

    /// <summary>Checks that a context can be simulated.</summary>
    /// <exception cref="InferenceException">The table of the context's cells alone does not fit into memory.</exception>
    public static void CheckCells(NativeModel model, ContextParameters parameters)
    {
        long free = HostMemory.Available();
        long cells = parameters.CellCount(model.TrainedContextLength);
        if (cells * BytesPerCell > free / 4)
        {
            throw Refuse(cells, cells * BytesPerCell, DeviceTotal.Host, free);
        }
    }

    private static double Size(MemoryUse use) => use.ContextBytes + use.ComputeBytes;

    private static InferenceException Refuse(long cells, double bytes, string device, long free)
    {
        const double Mebibyte = 1 << 20;
        return new InferenceException(string.Create(
            CultureInfo.InvariantCulture,
            $"A context of {cells} tokens takes {bytes / Mebibyte:N0} MiB on {device}, where {free / Mebibyte:N0} MiB are free. Decrease ContextLength, SequenceCount or MicroBatchSize, or use a smaller type in KvCache."));
    }

    // Assumes keys and values in F32, and the buffers of one micro-batch for attention without flash kernels and for a layer of experts.
    private static double Bound(NativeModel model, ContextParameters parameters, int headLength)
    {
        double cells = parameters.CellCount(model.TrainedContextLength);
        double row = Math.Max(model.EmbeddingLength, (double)model.KeyValueHeadCount * Math.Max(256, headLength));
        double cache = cells * (((model.LayerCount + model.MtpInfo.LayerCount) * row * 2 * sizeof(float)) + BytesPerCell);
        double attention = cells * model.HeadCount * 2 * sizeof(float);
        double layer = ((64.0 * model.EmbeddingLength) + model.Vocabulary.Size) * sizeof(float);
        double state = model.IsRecurrent && parameters.SequenceCount > 8 ? double.PositiveInfinity : 0;
        return cache + (Math.Min(parameters.MicroBatchSize, cells) * (attention + layer)) + state;
    }
}
