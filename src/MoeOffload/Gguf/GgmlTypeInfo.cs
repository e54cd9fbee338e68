namespace MoeOffload.Gguf;

/// <summary>The storage layout of a <see cref="GgmlType"/>: elements are stored in blocks of equal size.</summary>
/// <remarks>Block sizes follow the block structs of ggml's <c>ggml-common.h</c>.</remarks>
/// <param name="Type">The type.</param>
/// <param name="Name">The name as llama.cpp prints it, for instance <c>q4_K</c>.</param>
/// <param name="BlockSize">Elements per block; a row holds a whole number of blocks.</param>
/// <param name="BytesPerBlock">Bytes per block.</param>
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

    // By the type's number; the numbers of removed types stay empty.
    private static readonly GgmlTypeInfo[] s_byType = Index();

    /// <summary>Whether elements are quantized, that is, stored in blocks with common scales.</summary>
    public bool IsQuantized => BlockSize > 1;

    /// <summary>Bits per element, scales included.</summary>
    public double BitsPerElement => 8.0 * BytesPerBlock / BlockSize;

    /// <summary>Every known type.</summary>
    public static IReadOnlyCollection<GgmlTypeInfo> All => s_known;

    /// <summary>Gives the layout of a type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is unknown.</exception>
    public static GgmlTypeInfo Of(GgmlType type) => TryGet(type, out var info)
        ? info
        : throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that llama.cpp stores.");

    /// <summary>Gives the layout of a type, where it is known.</summary>
    public static bool TryGet(GgmlType type, out GgmlTypeInfo info)
    {
        info = (uint)type < (uint)s_byType.Length ? s_byType[(int)type] : default;
        return info.BlockSize > 0;
    }

    /// <summary>Gives the bytes that a contiguous tensor takes.</summary>
    /// <param name="dimensions">Elements per dimension, the innermost (the row) first. None means one element.</param>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is negative.</exception>
    /// <exception cref="ArgumentException">The row is no whole number of blocks.</exception>
    /// <exception cref="OverflowException">The size exceeds 63 bits.</exception>
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
