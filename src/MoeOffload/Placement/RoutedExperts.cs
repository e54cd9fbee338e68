using MoeOffload.Gguf;

namespace MoeOffload.Placement;

/// <summary>Finds the tensors of routed experts, and calculates the least memory in which they can stay in the model's files.</summary>
internal static class RoutedExperts
{
    // The largest page of memory of the systems that the library runs on is used where the system's own is not known.
    private static readonly int s_pageSize = Math.Max(4096, Environment.SystemPageSize);

    /// <summary>Determines whether a tensor holds the weights of routed experts. Their biases and scales are small, and stay in memory.</summary>
    public static bool IsRouted(GgufTensorInfo tensor) => tensor.Dimensions.Count == 3 && IsRouted(tensor.Name);

    /// <summary>Determines by its name whether a tensor holds the weights of routed experts.</summary>
    public static bool IsRouted(string tensor) =>
        TensorNames.LayerOf(tensor) is not null && ExpertTensors.IsExpert(tensor) && tensor.EndsWith(".weight", StringComparison.Ordinal);

    /// <summary>Gets the memory of the experts that one token uses in the layer where they are largest.</summary>
    /// <param name="experts">The tensors that hold experts.</param>
    /// <param name="perToken">The number of experts that a token uses.</param>
    public static long LeastBytes(IEnumerable<GgufTensorInfo> experts, long perToken) =>
        LeastBytes(experts.Select(tensor => (tensor.Name, tensor.ByteCount, Count: tensor.GetDimension(2))), perToken);

    /// <inheritdoc cref="LeastBytes(IEnumerable{GgufTensorInfo}, long)"/>
    public static long LeastBytes(IEnumerable<(string Name, long Bytes, long Count)> experts, long perToken) => experts
        .GroupBy(tensor => TensorNames.LayerOf(tensor.Name))
        .Max(layer => layer.Sum(tensor => Math.Min(perToken, tensor.Count) * PageBytes(tensor.Bytes / tensor.Count)));

    // An expert can begin and end within a page.
    private static long PageBytes(long bytes) => ((bytes + s_pageSize - 1) / s_pageSize * s_pageSize) + s_pageSize;
}
