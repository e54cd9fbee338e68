namespace MoeOffload;

/// <summary>What one buffer type holds for a model and its context.</summary>
/// <param name="Buffer">The buffer type's name.</param>
/// <param name="Device">The device that it belongs to, or whose total this is; <see cref="DeviceTotal.Host"/> for all of system memory.</param>
/// <param name="IsHost">Whether it lies in system memory.</param>
/// <param name="WeightBytes">Bytes of weights.</param>
/// <param name="ContextBytes">Bytes of KV cache and other state of the context.</param>
/// <param name="ComputeBytes">Bytes of intermediate results, staging copies of offloaded weights included.</param>
public sealed record MemoryUse(string Buffer, string Device, bool IsHost, long WeightBytes, long ContextBytes, long ComputeBytes)
{
    /// <summary>All bytes.</summary>
    public long TotalBytes => WeightBytes + ContextBytes + ComputeBytes;
}
