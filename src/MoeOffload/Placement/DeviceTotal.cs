namespace MoeOffload;

/// <summary>Represents the weights in the memory of one device, or in system memory.</summary>
/// <param name="Device">The device's name, or <see cref="Host"/> for system memory.</param>
/// <param name="TensorCount">The number of tensors.</param>
/// <param name="Bytes">The size of the tensors, in bytes.</param>
/// <param name="ExpertTensorCount">The number of tensors that hold experts.</param>
/// <param name="ExpertBytes">The size of the tensors that hold experts, in bytes.</param>
public sealed record DeviceTotal(string Device, int TensorCount, long Bytes, int ExpertTensorCount, long ExpertBytes)
{
    /// <summary>The name that stands for all system memory, regardless of the device that allocated it.</summary>
    public const string Host = "Host";
}
