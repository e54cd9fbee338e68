using System.Buffers.Binary;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Creates random values directly in ggml's storage types (the block structs in <c>ggml-common.h</c>): the quants are random bits, and the
/// scales are chosen so that the values have a mean of 0 and the specified standard deviation.
/// </summary>
internal static class RandomBlocks
{
    // The standard deviation of n consecutive integers with equal probability is √((n² - 1) / 12).
    private static readonly float s_2bit = MathF.Sqrt(15 / 12f);
    private static readonly float s_4bit = MathF.Sqrt(255 / 12f);
    private static readonly float s_5bit = MathF.Sqrt(1023 / 12f);

    // The root mean squares of -4 to 3, of -32 to 31, and of the eight magnitudes of a 4-bit float: 0, 0.5, 1, 1.5, 2, 3, 4, 6.
    private static readonly float s_3bitSigned = MathF.Sqrt(5.5f);
    private static readonly float s_6bitSigned = MathF.Sqrt(341.5f);
    private static readonly float s_fp4 = MathF.Sqrt(8.5625f);

    /// <summary>Fills a span with blocks of a type.</summary>
    /// <exception cref="NotSupportedException">The type is not supported.</exception>
    public static void Fill(GgmlType type, float deviation, Random random, Span<byte> blocks)
    {
        BlockMaker make = type switch
        {
            GgmlType.F32 => F32,
            GgmlType.F16 => F16,
            GgmlType.BF16 => BF16,
            GgmlType.Q4_0 => Q4_0,
            GgmlType.Q5_0 => Q5_0,
            GgmlType.Q5_1 => Q5_1,
            GgmlType.Q8_0 => Q8_0,
            GgmlType.MXFP4 => Mxfp4,
            GgmlType.Q2_K => Q2K,
            GgmlType.Q3_K => Q3K,
            GgmlType.Q4_K => Q4K,
            GgmlType.Q5_K => Q5K,
            GgmlType.Q6_K => Q6K,
            _ => throw new NotSupportedException($"There are no random {type} blocks."),
        };
        random.NextBytes(blocks);
        int bytes = GgmlTypeInfo.Get(type).BytesPerBlock;
        for (int start = 0; start < blocks.Length; start += bytes)
        {
            make(blocks.Slice(start, bytes), deviation, random);
        }
    }

    private static void F32(Span<byte> block, float deviation, Random random) => BinaryPrimitives.WriteSingleLittleEndian(block, Uniform(deviation, random));

    private static void F16(Span<byte> block, float deviation, Random random) => Half(block, Uniform(deviation, random));

    private static void BF16(Span<byte> block, float deviation, Random random) =>
        BinaryPrimitives.WriteUInt16LittleEndian(block, (ushort)(BitConverter.SingleToUInt32Bits(Uniform(deviation, random)) >> 16));

    // Quants from -8 to 7 or -16 to 15 are not symmetric around 0, but with scales of both signs the values are.
    private static void Q4_0(Span<byte> block, float deviation, Random random) => Half(block, Sign(random) * deviation / MathF.Sqrt((s_4bit * s_4bit) + 0.25f));

    private static void Q5_0(Span<byte> block, float deviation, Random random) => Half(block, Sign(random) * deviation / MathF.Sqrt((s_5bit * s_5bit) + 0.25f));

    private static void Q5_1(Span<byte> block, float deviation, Random random)
    {
        float scale = deviation / s_5bit;
        Half(block, scale);
        Half(block[2..], -15.5f * scale);
    }

    private static void Q8_0(Span<byte> block, float deviation, Random random)
    {
        Half(block, deviation / MathF.Sqrt(65535 / 12f));

        // llama.cpp's quantizer never creates the value -128, which some of its kernels cannot negate.
        block[2..].Replace((byte)0x80, (byte)0);
    }

    // The scale is a power of 2. The two nearest powers are mixed so that the mean square is right.
    private static void Mxfp4(Span<byte> block, float deviation, Random random)
    {
        float scale = deviation / s_fp4;
        int exponent = MathF.ILogB(scale);
        float excess = scale * scale / MathF.ScaleB(1, 2 * exponent);
        block[0] = (byte)(exponent + 127 + (random.NextSingle() < (excess - 1) / 3 ? 1 : 0));
    }

    // A block has 16 4-bit scales, here from 8 to 15, each with a minimum in the upper 4 bits: 1.5 times the scale, because 1.5 is the middle of
    // 0 to 3.
    private static void Q2K(Span<byte> block, float deviation, Random random)
    {
        foreach (ref byte scale in block[..16])
        {
            int value = 8 | (scale & 7);
            scale = (byte)(value | (value << 4));
        }

        float unit = deviation / (s_2bit * RootMeanSquare(8, 15));
        Half(block[80..], unit);
        Half(block[82..], 1.5f * unit);
    }

    private static void Q3K(Span<byte> block, float deviation, Random random) => Half(block[108..], deviation / (s_3bitSigned * s_6bitSigned));

    private static void Q4K(Span<byte> block, float deviation, Random random) => ScalesWithMinima(block, deviation, s_4bit, middle: 7.5f);

    private static void Q5K(Span<byte> block, float deviation, Random random) => ScalesWithMinima(block, deviation, s_5bit, middle: 15.5f);

    private static void Q6K(Span<byte> block, float deviation, Random random)
    {
        foreach (ref byte scale in block.Slice(192, 16))
        {
            int value = 16 | (scale & 15);
            scale = (byte)(sbyte)((scale & 16) == 0 ? value : -value);
        }

        Half(block[208..], deviation / (s_6bitSigned * RootMeanSquare(16, 31)));
    }

    // Packs 8 scales and 8 minima of 6 bits into 12 bytes (see ggml's get_scale_min_k4). Scales are 32 to 63, and each minimum equals its scale.
    private static void ScalesWithMinima(Span<byte> block, float deviation, float quants, float middle)
    {
        Span<byte> scales = block.Slice(4, 12);
        for (int i = 0; i < 4; i++)
        {
            scales[i] |= 0xA0;
            scales[i + 4] = scales[i];
            scales[i + 8] = (byte)((scales[i + 8] & 0xF) * 0x11);
        }

        float unit = deviation / (quants * RootMeanSquare(32, 63));
        Half(block, unit);
        Half(block[2..], middle * unit);
    }

    private static float RootMeanSquare(int first, int last) => MathF.Sqrt((float)Enumerable.Range(first, last - first + 1).Average(value => value * value));

    private static float Uniform(float deviation, Random random) => deviation * MathF.Sqrt(12) * (random.NextSingle() - 0.5f);

    private static int Sign(Random random) => random.Next(2) == 0 ? 1 : -1;

    private static void Half(Span<byte> destination, float value) => BinaryPrimitives.WriteHalfLittleEndian(destination, (Half)value);

    private delegate void BlockMaker(Span<byte> block, float deviation, Random random);
}
