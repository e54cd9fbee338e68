namespace MoeOffload;

/// <summary>Represents the memory that a model and its context use in one buffer type, or on one device.</summary>
/// <param name="Buffer">The buffer type's name; in a total, the device's name.</param>
/// <param name="Device">The device's name, or <see cref="DeviceTotal.Host"/> in the total of system memory.</param>
/// <param name="IsHost"><see langword="true"/> if this is system memory.</param>
/// <param name="WeightBytes">The size of the weights, in bytes.</param>
/// <param name="ContextBytes">The size of the KV cache and the context's other state, in bytes.</param>
/// <param name="ComputeBytes">The size of the compute buffers, in bytes, including staging copies of offloaded weights.</param>
public sealed record MemoryUse(string Buffer, string Device, bool IsHost, long WeightBytes, long ContextBytes, long ComputeBytes)
{
    /// <summary>Gets the sum of the sizes, in bytes.</summary>
    public long TotalBytes => WeightBytes + ContextBytes + ComputeBytes;
}
