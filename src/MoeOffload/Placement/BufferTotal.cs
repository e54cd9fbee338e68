namespace MoeOffload;

/// <summary>The weights in one buffer type.</summary>
/// <param name="Buffer">The buffer type's name.</param>
/// <param name="Device">The device that it belongs to.</param>
/// <param name="IsHost">Whether it lies in system memory.</param>
/// <param name="TensorCount">How many tensors are in it.</param>
/// <param name="Bytes">Their size in bytes.</param>
/// <param name="ExpertTensorCount">How many of them hold experts.</param>
/// <param name="ExpertBytes">The size of those in bytes.</param>
public sealed record BufferTotal(
    string Buffer, string Device, bool IsHost, int TensorCount, long Bytes, int ExpertTensorCount, long ExpertBytes);
