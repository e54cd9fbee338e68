namespace MoeOffload.Native;

/// <summary>Represents a tensor in a model's file that holds something of each expert of a layer.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="File">The zero-based index of the file.</param>
/// <param name="Offset">The offset in the file, in bytes.</param>
/// <param name="Bytes">The tensor's size, in bytes.</param>
/// <param name="Layer">The zero-based number of the layer.</param>
/// <param name="ExpertCount">The number of experts.</param>
internal sealed record NativeExpertTensor(string Name, int File, long Offset, long Bytes, int Layer, int ExpertCount);
