namespace MoeOffload.Gguf;

/// <summary>Represents the bytes that metadata values are decoded from, and their byte order.</summary>
internal sealed class GgufHeaderBytes
{
    public byte[] Bytes { get; set; } = [];

    public bool BigEndian { get; set; }
}
