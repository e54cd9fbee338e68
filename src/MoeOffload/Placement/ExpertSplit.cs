namespace MoeOffload.Placement;

/// <summary>Tells before a load whether experts will lie in system memory while a device holds layers.</summary>
internal static class ExpertSplit
{
    /// <summary>Looks where each tensor of the layers will lie, if the devices hold layers at all.</summary>
    /// <param name="tensors">The names of the model's tensors.</param>
    /// <param name="bufferOf">Tells the buffer of the rule that decides about a tensor; null if none does.</param>
    /// <param name="gpuLayers">How many layers, the last ones first, lie on devices; the output layer counts as one more. Null for all.</param>
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

    // CPU and what rearranges weights for it, and memory that is pinned for a device: CUDA_Host.
    private static bool IsHost(string buffer) =>
        buffer == "CPU" || buffer.StartsWith("CPU_", StringComparison.Ordinal) || buffer.EndsWith("_Host", StringComparison.Ordinal);
}
