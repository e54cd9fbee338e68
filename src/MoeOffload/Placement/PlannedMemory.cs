namespace MoeOffload;

/// <summary>Represents what a plan puts into the memory of one device, or into system memory.</summary>
/// <param name="Device">The device's name, or <see cref="DeviceTotal.Host"/> for system memory.</param>
/// <param name="WeightBytes">The size of the weights, in bytes.</param>
/// <param name="ContextBytes">The size of the KV cache and the context's other state, in bytes.</param>
/// <param name="ComputeBytes">The size of the compute buffers, in bytes, including staging copies of weights.</param>
/// <param name="OtherBytes">The size of everything else, such as the table of the context's cells and the logits, in bytes.</param>
/// <param name="FreeBytes">The memory that is free before, in bytes.</param>
public sealed record PlannedMemory(string Device, long WeightBytes, long ContextBytes, long ComputeBytes, long OtherBytes, long FreeBytes)
{
    /// <summary>Gets the sum of the sizes, in bytes.</summary>
    public long TotalBytes => WeightBytes + ContextBytes + ComputeBytes + OtherBytes;
}
