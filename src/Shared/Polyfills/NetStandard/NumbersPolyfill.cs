using System.Buffers.Binary;
using System.Numerics;

namespace System;

/// <summary>Provides what the classes for numbers have since .NET Core 3 and .NET 5.</summary>
internal static class NumbersPolyfill
{
    extension(BitOperations)
    {
        /// <summary>Returns the logarithm to base 2, rounded down; 0 for 0.</summary>
        /// <param name="value">The number.</param>
        public static int Log2(uint value)
        {
            int result = 0;
            for (; value > 1; value >>= 1)
            {
                result++;
            }

            return result;
        }

        /// <summary>Returns the smallest power of two that is not less than a number.</summary>
        /// <param name="value">The number.</param>
        public static uint RoundUpToPowerOf2(uint value) => value <= 1 ? value : 2u << Log2(value - 1);
    }

    extension(MathF)
    {
        /// <summary>Returns the exponent of a finite number that is not 0.</summary>
        /// <param name="x">The number.</param>
        public static int ILogB(float x)
        {
            int bits = BitConverter.SingleToInt32Bits(x) & 0x7FFF_FFFF;
            return bits >> 23 != 0 ? (bits >> 23) - 127 : Log2((uint)bits) - 149;
        }

        /// <summary>Multiplies a number by a power of two.</summary>
        /// <param name="x">The number.</param>
        /// <param name="n">The exponent.</param>
        public static float ScaleB(float x, int n) => (float)(x * Math.Pow(2, n));
    }

    extension(BinaryPrimitives)
    {
        public static void WriteHalfLittleEndian(Span<byte> destination, Half value) =>
            BinaryPrimitives.WriteUInt16LittleEndian(destination, value.Bits);
    }
}
