using MoeOffload.Gguf;

namespace MoeOffload.Native;

/// <summary>Represents a tensor of a loaded model and its actual location.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The data type of the elements.</param>
/// <param name="Dimensions">The four dimensions.</param>
/// <param name="ByteCount">The size, in bytes.</param>
/// <param name="BufferType">llama.cpp's name for the buffer type that holds the tensor.</param>
/// <param name="Device">The device that the buffer belongs to.</param>
/// <param name="IsHost"><see langword="true"/> if the buffer is in system memory.</param>
internal sealed record NativeTensor(
    string Name, GgmlType Type, long[] Dimensions, long ByteCount, string BufferType, string Device, bool IsHost);
