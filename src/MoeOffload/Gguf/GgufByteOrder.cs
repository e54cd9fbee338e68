namespace MoeOffload.Gguf;

/// <summary>The byte order of a GGUF file's numbers, in its header and in its tensors alike.</summary>
public enum GgufByteOrder
{
    /// <summary>Least significant byte first: x86, ARM, and nearly every file.</summary>
    LittleEndian,

    /// <summary>Most significant byte first, for machines such as s390x. llama.cpp loads only files of its machine's own order.</summary>
    BigEndian,
}
