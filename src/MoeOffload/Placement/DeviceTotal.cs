namespace MoeOffload;

/// <summary>The weights in one device's own memory, or in the system's.</summary>
/// <param name="Device">The device's name, <see cref="Host"/> for system memory.</param>
/// <param name="TensorCount">How many tensors are in it.</param>
/// <param name="Bytes">Their size in bytes.</param>
/// <param name="ExpertTensorCount">How many of them hold experts.</param>
/// <param name="ExpertBytes">The size of those in bytes.</param>
public sealed record DeviceTotal(string Device, int TensorCount, long Bytes, int ExpertTensorCount, long ExpertBytes)
{
    /// <summary>The name under which system memory is counted, whichever device the buffer was made by.</summary>
    public const string Host = "Host";
}
