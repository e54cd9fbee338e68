using MoeOffload.Gguf;

namespace MoeOffload.Placement;

/// <summary>Represents the memory that a context takes in addition to the weights.</summary>
/// <param name="LayerContextBytes">The size of each layer's part of the KV cache and of its state, in bytes.</param>
/// <param name="DeviceComputeBytes">The size of the compute buffers of each device if it is used, in bytes.</param>
/// <param name="HostComputeBytes">The size of the compute buffers in system memory, in bytes.</param>
/// <param name="OtherHostBytes">The size of the table of cells and of the logits, which llama.cpp does not count, in bytes.</param>
internal sealed record MemoryCosts(
    IReadOnlyList<long> LayerContextBytes, IReadOnlyList<long> DeviceComputeBytes, long HostComputeBytes, long OtherHostBytes)
{
    // The maximum size of llama.cpp's bookkeeping for each cell.
    private const long BytesPerCell = 64;

    // Beside the layers of the feed-forward network, a layer keeps about this many vectors of the hidden state's size for each token.
    private const int HiddenVectors = 12;
    private const int FeedForwardVectors = 4;

    // A mask in F32, and a copy in F16 for flash attention.
    private const int MaskBytes = sizeof(float) + (sizeof(float) / 2);

    /// <summary>Estimates the costs from the properties of a model.</summary>
    /// <param name="problem">The problem, whose context has a length.</param>
    /// <param name="expertsOffloaded">Whether experts are in system memory while a device holds layers.</param>
    public static MemoryCosts Estimate(PlacementProblem problem, bool expertsOffloaded)
    {
        (PlacementModel model, ContextShape context) = (problem.Model, problem.Context);
        long cells = context.CellCount();
        long batch = Math.Min(context.MicroBatch(expertsOffloaded), context.Length);
        var layers = new long[model.LayerCount];
        for (int i = 0; i < layers.Length; i++)
        {
            (int key, int value) = i < model.LayerCache.Count ? model.LayerCache[i] : default;
            double bits = (key * Bits(context.KeyType)) + (value * Bits(context.ValueType));
            layers[i] = (long)Math.Ceiling(cells * bits / 8) + (context.SequenceCount * model.LayerStateBytes);
        }

        int widest = model.LayerCache.Count == 0 ? 0 : model.LayerCache.Max(layer => layer.Key + layer.Value);
        long values = ((long)HiddenVectors * model.EmbeddingLength) + ((long)FeedForwardVectors * model.FeedForwardLength) + (2L * widest);
        long outputs = (long)context.SequenceCount * (model.VocabularySize + model.EmbeddingLength) * sizeof(float);
        long compute = (batch * ((values * sizeof(float)) + (cells * MaskBytes))) + outputs;
        long staging = expertsOffloaded ? LargestLayer(model) : 0;
        return new MemoryCosts(
            layers, [.. problem.Devices.Select(_ => compute + staging)], compute, OtherBytes(model, context));
    }

    /// <summary>Gets the size of what llama.cpp does not count: the table of cells and the logits, in bytes.</summary>
    public static long OtherBytes(PlacementModel model, ContextShape context) =>
        (context.CellCount() * BytesPerCell) + ((long)context.SequenceCount * (model.VocabularySize + model.EmbeddingLength) * sizeof(float));

    // Large batches copy the experts of a layer to a device to compute with them.
    private static long LargestLayer(PlacementModel model) => model.Tensors.Where(tensor => ExpertTensors.IsExpert(tensor.Name))
        .GroupBy(tensor => TensorNames.LayerOf(tensor.Name))
        .Select(layer => layer.Sum(tensor => tensor.Bytes))
        .DefaultIfEmpty()
        .Max();

    private static double Bits(GgmlType type) => GgmlTypeInfo.Get(type).BitsPerElement;
}
