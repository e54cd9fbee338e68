namespace MoeOffload.Gguf;

/// <summary>Specifies the type of a metadata value. The numbers are those of ggml's <c>docs/gguf.md</c>.</summary>
public enum GgufValueType
{
    /// <summary>8-bit unsigned integer.</summary>
    UInt8 = 0,

    /// <summary>8-bit signed integer.</summary>
    Int8 = 1,

    /// <summary>16-bit unsigned integer.</summary>
    UInt16 = 2,

    /// <summary>16-bit signed integer.</summary>
    Int16 = 3,

    /// <summary>32-bit unsigned integer.</summary>
    UInt32 = 4,

    /// <summary>32-bit signed integer.</summary>
    Int32 = 5,

    /// <summary>32-bit IEEE float.</summary>
    Float32 = 6,

    /// <summary>A Boolean value in one byte, which is 0 for <see langword="false"/>.</summary>
    Boolean = 7,

    /// <summary>UTF-8 text, preceded by its length in bytes.</summary>
    String = 8,

    /// <summary>An array of elements of the same type, which cannot be arrays themselves.</summary>
    Array = 9,

    /// <summary>64-bit unsigned integer.</summary>
    UInt64 = 10,

    /// <summary>64-bit signed integer.</summary>
    Int64 = 11,

    /// <summary>64-bit IEEE float.</summary>
    Float64 = 12,
}
