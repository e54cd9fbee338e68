using MoeOffload.Gguf;

namespace MoeOffload.Native;

/// <summary>Represents a tensor of a loaded model, and where it truly lies.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Dimensions">Its four dimensions.</param>
/// <param name="ByteCount">Its size in bytes.</param>
/// <param name="BufferType">llama.cpp's name of the buffer type that it lies in.</param>
/// <param name="Device">The device of the buffer.</param>
/// <param name="IsHost">Whether it lies in system memory.</param>
internal sealed record NativeTensor(
    string Name, GgmlType Type, long[] Dimensions, long ByteCount, string BufferType, string Device, bool IsHost);
