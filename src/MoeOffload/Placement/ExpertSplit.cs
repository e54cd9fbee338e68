namespace MoeOffload.Placement;

/// <summary>Predicts, before a model is loaded, whether experts will be in system memory while a device holds layers.</summary>
internal static class ExpertSplit
{
    /// <summary>Determines whether experts will be in system memory while a device holds other tensors of the layers.</summary>
    /// <param name="tensors">The names of the model's tensors.</param>
    /// <param name="bufferOf">Gets the buffer of the rule that applies to a tensor, or <see langword="null"/> if no rule applies.</param>
    /// <param name="gpuLayers">
    /// The number of layers on devices, counted from the last one; the output layer counts as one more. <see langword="null"/> for all.
    /// </param>
    public static bool IsExpected(IReadOnlyList<string> tensors, Func<string, string?> bufferOf, int? gpuLayers)
    {
        int layers = tensors.Max(name => TensorNames.LayerOf(name) ?? -1) + 1;
        int firstOnDevice = gpuLayers is { } count ? Math.Max(0, layers + 1 - count) : 0;
        bool onDevice = false;
        bool expertsOnHost = false;
        foreach (string name in tensors)
        {
            if (TensorNames.LayerOf(name) is { } layer)
            {
                bool isHost = bufferOf(name) is { } buffer ? IsHost(buffer) : layer < firstOnDevice;
                onDevice |= !isHost;
                expertsOnHost |= isHost && ExpertTensors.IsExpert(name);
            }
        }

        return onDevice && expertsOnHost;
    }

    // The CPU's buffer types, some of which rearrange weights, and memory that is pinned for a device, such as CUDA_Host.
    private static bool IsHost(string buffer) =>
        buffer == "CPU" || buffer.StartsWith("CPU_", StringComparison.Ordinal) || buffer.EndsWith("_Host", StringComparison.Ordinal);
}
