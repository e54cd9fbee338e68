namespace MoeOffload.Gguf;

/// <summary>Represents options for writing a GGUF file.</summary>
public sealed record GgufWriterOptions
{
    /// <summary>Gets the version of the format, which is 2 or 3. The default is 3.</summary>
    public int Version { get; init; } = 3;

    /// <summary>Gets the byte order of the header, in which the tensors' sources must write too. The default is little-endian.</summary>
    public GgufByteOrder ByteOrder { get; init; } = GgufByteOrder.LittleEndian;

    /// <summary>
    /// Gets the alignment of tensors in bytes, a power of two. llama.cpp can only map files into memory if it is at least 32, the default.
    /// </summary>
    public int Alignment { get; init; } = GgufHeaderReader.DefaultAlignment;
}
