namespace MoeOffload.Gguf;

/// <summary>Represents the storage layout of a <see cref="GgmlType"/>, which stores elements in blocks of equal size.</summary>
/// <remarks>The sizes are those of the block structs in ggml's <c>ggml-common.h</c>.</remarks>
/// <param name="Type">The type.</param>
/// <param name="Name">llama.cpp's name for the type, such as <c>q4_K</c>.</param>
/// <param name="BlockSize">The number of elements in a block. A row consists of whole blocks.</param>
/// <param name="BytesPerBlock">The size of a block, in bytes.</param>
public readonly record struct GgmlTypeInfo(GgmlType Type, string Name, int BlockSize, int BytesPerBlock)
{
    private static readonly GgmlTypeInfo[] s_known =
    [
        new(GgmlType.F32, "f32", 1, 4),
        new(GgmlType.F16, "f16", 1, 2),
        new(GgmlType.Q4_0, "q4_0", 32, 18),
        new(GgmlType.Q4_1, "q4_1", 32, 20),
        new(GgmlType.Q5_0, "q5_0", 32, 22),
        new(GgmlType.Q5_1, "q5_1", 32, 24),
        new(GgmlType.Q8_0, "q8_0", 32, 34),
        new(GgmlType.Q8_1, "q8_1", 32, 36),
        new(GgmlType.Q2_K, "q2_K", 256, 84),
        new(GgmlType.Q3_K, "q3_K", 256, 110),
        new(GgmlType.Q4_K, "q4_K", 256, 144),
        new(GgmlType.Q5_K, "q5_K", 256, 176),
        new(GgmlType.Q6_K, "q6_K", 256, 210),
        new(GgmlType.Q8_K, "q8_K", 256, 292),
        new(GgmlType.IQ2_XXS, "iq2_xxs", 256, 66),
        new(GgmlType.IQ2_XS, "iq2_xs", 256, 74),
        new(GgmlType.IQ3_XXS, "iq3_xxs", 256, 98),
        new(GgmlType.IQ1_S, "iq1_s", 256, 50),
        new(GgmlType.IQ4_NL, "iq4_nl", 32, 18),
        new(GgmlType.IQ3_S, "iq3_s", 256, 110),
        new(GgmlType.IQ2_S, "iq2_s", 256, 82),
        new(GgmlType.IQ4_XS, "iq4_xs", 256, 136),
        new(GgmlType.I8, "i8", 1, 1),
        new(GgmlType.I16, "i16", 1, 2),
        new(GgmlType.I32, "i32", 1, 4),
        new(GgmlType.I64, "i64", 1, 8),
        new(GgmlType.F64, "f64", 1, 8),
        new(GgmlType.IQ1_M, "iq1_m", 256, 56),
        new(GgmlType.BF16, "bf16", 1, 2),
        new(GgmlType.TQ1_0, "tq1_0", 256, 54),
        new(GgmlType.TQ2_0, "tq2_0", 256, 66),
        new(GgmlType.MXFP4, "mxfp4", 32, 17),
        new(GgmlType.NVFP4, "nvfp4", 64, 36),
        new(GgmlType.Q1_0, "q1_0", 128, 18),
        new(GgmlType.Q2_0, "q2_0", 64, 18),
    ];

    // Indexed by the type's number; the entries of types that ggml removed are empty.
    private static readonly GgmlTypeInfo[] s_byType = Index();

    /// <summary>Gets a value that indicates whether elements are quantized, that is, stored in blocks with common scales.</summary>
    public bool IsQuantized => BlockSize > 1;

    /// <summary>Gets the average number of bits per element, including scales.</summary>
    public double BitsPerElement => 8.0 * BytesPerBlock / BlockSize;

    /// <summary>Gets the layouts of all known types.</summary>
    public static IReadOnlyCollection<GgmlTypeInfo> All => s_known;

    /// <summary>Gets the layout of a type.</summary>
    /// <param name="type">The type.</param>
    /// <returns>The layout.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is unknown.</exception>
    public static GgmlTypeInfo Get(GgmlType type) => TryGet(type, out var info)
        ? info
        : throw new ArgumentOutOfRangeException(nameof(type), type, "The type is unknown to llama.cpp.");

    /// <summary>Tries to get the layout of a type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="info">The layout, if the type is known.</param>
    /// <returns><see langword="true"/> if the type is known; otherwise, <see langword="false"/>.</returns>
    public static bool TryGet(GgmlType type, out GgmlTypeInfo info)
    {
        info = (uint)type < (uint)s_byType.Length ? s_byType[(int)type] : default;
        return info.BlockSize > 0;
    }

    /// <summary>Calculates the size of a contiguous tensor.</summary>
    /// <param name="dimensions">The number of elements in each dimension, with the row first. A tensor without dimensions has one element.</param>
    /// <returns>The size, in bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative.</exception>
    /// <exception cref="ArgumentException">The length of a row is not a multiple of the block size.</exception>
    /// <exception cref="OverflowException">The size is greater than <see cref="long.MaxValue"/>.</exception>
    public long GetByteCount(params ReadOnlySpan<long> dimensions)
    {
        long elements = 1;
        foreach (var dimension in dimensions)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(dimensions));
            elements = checked(elements * dimension);
        }

        var row = dimensions.IsEmpty ? 1 : dimensions[0];
        if (row % BlockSize != 0)
        {
            throw new ArgumentException(
                $"A row of {row} elements is not a multiple of {Name}'s block of {BlockSize}.", nameof(dimensions));
        }

        return checked(elements / BlockSize * BytesPerBlock);
    }

    private static GgmlTypeInfo[] Index()
    {
        var result = new GgmlTypeInfo[(int)s_known[^1].Type + 1];
        foreach (var info in s_known)
        {
            result[(int)info.Type] = info;
        }

        return result;
    }
}
