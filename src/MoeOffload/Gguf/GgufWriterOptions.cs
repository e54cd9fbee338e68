namespace MoeOffload.Gguf;

/// <summary>How a GGUF file is written.</summary>
public sealed record GgufWriterOptions
{
    /// <summary>The format's version: 3, which everything reads, or 2.</summary>
    public int Version { get; init; } = 3;

    /// <summary>The byte order of the header. The tensors' sources write in this order too.</summary>
    public GgufByteOrder ByteOrder { get; init; } = GgufByteOrder.LittleEndian;

    /// <summary>Bytes that tensors are aligned to, a power of two. llama.cpp maps files into memory where it is 32 or more.</summary>
    public int Alignment { get; init; } = GgufHeaderReader.DefaultAlignment;
}
