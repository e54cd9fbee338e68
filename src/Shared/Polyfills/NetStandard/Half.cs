namespace System;

/// <summary>Represents a 16-bit floating-point number, like the struct of .NET 5: the members that this library needs.</summary>
/// <param name="Bits">The number in the format binary16 of IEEE 754.</param>
internal readonly record struct Half(ushort Bits)
{
    // The value of the lowest bit of the smallest normal number.
    private const int SmallestNormal = 113 << 23;

    /// <summary>Converts a number to the nearest one, and of two to the one with an even last bit.</summary>
    /// <param name="value">The number.</param>
    public static explicit operator Half(float value)
    {
        int all = BitConverter.SingleToInt32Bits(value);
        int sign = (all >> 16) & 0x8000;
        int bits = all & 0x7FFF_FFFF;
        int result = bits switch
        {
            > 0x7F80_0000 => 0x7E00 | ((bits >> 13) & 0x3FF),
            >= 0x477F_F000 => 0x7C00,
            >= SmallestNormal => (bits - (112 << 23) + 0xFFF + ((bits >> 13) & 1)) >> 13,
            _ => Subnormal(bits),
        };
        return new Half((ushort)(sign | result));
    }

    // The addition aligns the bits as the unit in the last place of 0.5 does, and rounds them as the processor does.
    private static int Subnormal(int bits) =>
        BitConverter.SingleToInt32Bits(BitConverter.Int32BitsToSingle(bits) + 0.5f) - BitConverter.SingleToInt32Bits(0.5f);
}
