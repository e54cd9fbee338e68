using System.Buffers.Binary;

namespace MoeOffload.Gguf;

/// <summary>Quantizes rows of floats in the layouts of ggml's <c>ggml-common.h</c>, with rounding to nearest.</summary>
public static class GgmlQuantizer
{
    private const int Block = 32;

    // The eight magnitudes of a 4-bit float with two exponent bits and one mantissa bit (OCP microscaling, E2M1).
    private static readonly float[] s_fp4Magnitudes = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];

    /// <summary>Gets the types that rows can be encoded in.</summary>
    public static IReadOnlyList<GgmlType> Types => [GgmlType.F32, GgmlType.F16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.MXFP4];

    /// <summary>Encodes a row.</summary>
    /// <param name="type">The type, which must be one of <see cref="Types"/>.</param>
    /// <param name="row">The values. Their number must be a multiple of the type's block size.</param>
    /// <param name="destination">The span that receives the <see cref="GgmlTypeInfo.GetByteCount"/> bytes of the row.</param>
    /// <exception cref="ArgumentException">The length of the row is not a multiple of the block size, or the destination is too short.</exception>
    /// <exception cref="NotSupportedException">The type is not one of <see cref="Types"/>.</exception>
    public static void EncodeRow(GgmlType type, ReadOnlySpan<float> row, Span<byte> destination)
    {
        long bytes = GgmlTypeInfo.Get(type).GetByteCount(row.Length);
        if (destination.Length < bytes)
        {
            throw new ArgumentException($"A row of {row.Length} values takes {bytes} bytes as {type}, but the destination has only {destination.Length}.", nameof(destination));
        }

        switch (type)
        {
            case GgmlType.F32:
                EncodeF32(row, destination);
                break;
            case GgmlType.F16:
                EncodeF16(row, destination);
                break;
            case GgmlType.Q8_0:
                EncodeBlocks(row, destination, 34, EncodeQ8);
                break;
            case GgmlType.Q4_0:
                EncodeBlocks(row, destination, 18, EncodeQ4);
                break;
            case GgmlType.MXFP4:
                EncodeBlocks(row, destination, 17, EncodeMxfp4);
                break;
            default:
                throw new NotSupportedException($"{type} cannot be encoded, only {string.Join(", ", Types)}: quantize with llama.cpp's llama-quantize.");
        }
    }

    private static void EncodeF32(ReadOnlySpan<float> row, Span<byte> destination)
    {
        for (var i = 0; i < row.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(destination[(4 * i)..], row[i]);
        }
    }

    private static void EncodeF16(ReadOnlySpan<float> row, Span<byte> destination)
    {
        for (var i = 0; i < row.Length; i++)
        {
            BinaryPrimitives.WriteHalfLittleEndian(destination[(2 * i)..], (Half)row[i]);
        }
    }

    private static void EncodeBlocks(ReadOnlySpan<float> row, Span<byte> destination, int blockBytes, BlockEncoder encode)
    {
        for (var i = 0; i < row.Length / Block; i++)
        {
            encode(row.Slice(i * Block, Block), destination.Slice(i * blockBytes, blockBytes));
        }
    }

    // A 16-bit float scale, then 32 signed bytes.
    private static void EncodeQ8(ReadOnlySpan<float> values, Span<byte> block)
    {
        var scale = Largest(values, out _) / 127;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < Block; i++)
        {
            block[2 + i] = (byte)(sbyte)(scale == 0 ? 0 : MathF.Round(values[i] / scale));
        }
    }

    // A 16-bit float scale, then 16 bytes: the low nibbles are the first half of the values, the high ones the second. 8 stands for 0.
    private static void EncodeQ4(ReadOnlySpan<float> values, Span<byte> block)
    {
        Largest(values, out var signed);
        var scale = signed / -8;
        BinaryPrimitives.WriteHalfLittleEndian(block, (Half)scale);
        for (var i = 0; i < Block / 2; i++)
        {
            block[2 + i] = (byte)(Nibble(values[i]) | (Nibble(values[i + (Block / 2)]) << 4));
        }

        int Nibble(float value) => scale == 0 ? 8 : Math.Clamp((int)MathF.Round(value / scale) + 8, 0, 15);
    }

    // One byte of exponent, biased by 127, then nibbles as in Q4_0, the highest bit of each the sign.
    private static void EncodeMxfp4(ReadOnlySpan<float> values, Span<byte> block)
    {
        var largest = Largest(values, out _);
        var exponent = largest == 0 ? 0 : Math.Clamp(MathF.ILogB(largest) - 2 + 127, 0, 254);
        var scale = MathF.ScaleB(1, exponent - 127);
        block[0] = (byte)exponent;
        for (var i = 0; i < Block / 2; i++)
        {
            block[1 + i] = (byte)(Nibble(values[i]) | (Nibble(values[i + (Block / 2)]) << 4));
        }

        int Nibble(float value)
        {
            var magnitude = Math.Abs(value) / scale;
            var nearest = 0;
            for (var i = 1; i < s_fp4Magnitudes.Length; i++)
            {
                nearest = Math.Abs(s_fp4Magnitudes[i] - magnitude) < Math.Abs(s_fp4Magnitudes[nearest] - magnitude) ? i : nearest;
            }

            return nearest | (value < 0 ? 8 : 0);
        }
    }

    private static float Largest(ReadOnlySpan<float> values, out float signed)
    {
        signed = 0;
        foreach (var value in values)
        {
            signed = Math.Abs(value) > Math.Abs(signed) ? value : signed;
        }

        return Math.Abs(signed);
    }

    private delegate void BlockEncoder(ReadOnlySpan<float> values, Span<byte> block);
}
