namespace MoeOffload;

/// <summary>Represents the weights that one buffer type holds.</summary>
/// <param name="Buffer">The buffer type's name.</param>
/// <param name="Device">The name of the device that the buffer type belongs to.</param>
/// <param name="IsHost"><see langword="true"/> if the buffer type is in system memory.</param>
/// <param name="TensorCount">The number of tensors.</param>
/// <param name="Bytes">The size of the tensors, in bytes.</param>
/// <param name="ExpertTensorCount">The number of tensors that hold experts.</param>
/// <param name="ExpertBytes">The size of the tensors that hold experts, in bytes.</param>
public sealed record BufferTotal(
    string Buffer, string Device, bool IsHost, int TensorCount, long Bytes, int ExpertTensorCount, long ExpertBytes);
