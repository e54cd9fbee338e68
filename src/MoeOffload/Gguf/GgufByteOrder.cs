namespace MoeOffload.Gguf;

/// <summary>Specifies the byte order of the numbers in a GGUF file, both in its header and in its tensors.</summary>
public enum GgufByteOrder
{
    /// <summary>The least significant byte comes first, as in nearly all files.</summary>
    LittleEndian,

    /// <summary>The most significant byte comes first, for machines such as s390x. llama.cpp loads only files in the byte order of its machine.</summary>
    BigEndian,
}
