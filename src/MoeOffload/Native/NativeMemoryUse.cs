namespace MoeOffload.Native;

/// <summary>Represents what one buffer type holds for a context and its model, in bytes.</summary>
/// <param name="BufferType">llama.cpp's name of the buffer type.</param>
/// <param name="Device">The device that it belongs to.</param>
/// <param name="IsHost">Whether it lies in system memory.</param>
/// <param name="Weights">The model's tensors.</param>
/// <param name="Context">The KV cache and other state.</param>
/// <param name="Compute">What computations need.</param>
internal readonly record struct NativeMemoryUse(string BufferType, string Device, bool IsHost, long Weights, long Context, long Compute);
