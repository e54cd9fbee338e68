namespace MoeOffload.Native;

/// <summary>Represents the memory that a context and its model use in a buffer type.</summary>
/// <param name="BufferType">llama.cpp's name for the buffer type.</param>
/// <param name="Device">The device that the buffer type belongs to.</param>
/// <param name="IsHost"><see langword="true"/> if the buffer type is in system memory.</param>
/// <param name="Weights">The size of the weights, in bytes.</param>
/// <param name="Context">The size of the KV cache and other state, in bytes.</param>
/// <param name="Compute">The size of the compute buffers, in bytes.</param>
internal readonly record struct NativeMemoryUse(string BufferType, string Device, bool IsHost, long Weights, long Context, long Compute);
