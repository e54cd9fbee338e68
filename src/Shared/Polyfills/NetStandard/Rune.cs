using System.Buffers;

namespace System.Text;

/// <summary>Represents a Unicode scalar value, like the struct of .NET Core 3: the members that this library needs.</summary>
internal readonly record struct Rune
{
    private static readonly Rune s_replacement = new(0xFFFD, _: default);

    public Rune(char value)
        : this(!char.IsSurrogate(value) ? value : throw new ArgumentOutOfRangeException(nameof(value)), _: default)
    {
    }

    private Rune(int value, ValueTuple _) => Value = value;

    /// <summary>Gets the code point.</summary>
    public int Value { get; }

    public bool IsAscii => Value < 0x80;

    public bool IsBmp => Value < 0x1_0000;

    public static bool operator <(Rune left, Rune right) => left.Value < right.Value;

    public static bool operator >(Rune left, Rune right) => left.Value > right.Value;

    public static bool operator <=(Rune left, Rune right) => left.Value <= right.Value;

    public static bool operator >=(Rune left, Rune right) => left.Value >= right.Value;

    public static bool TryCreate(int value, out Rune result)
    {
        bool isScalar = value is >= 0 and < 0xD800 or > 0xDFFF and <= 0x10FFFF;
        result = isScalar ? new Rune(value, _: default) : default;
        return isScalar;
    }

    public static bool TryCreate(char high, char low, out Rune result)
    {
        bool isPair = char.IsSurrogatePair(high, low);
        result = isPair ? new Rune(char.ConvertToUtf32(high, low), _: default) : default;
        return isPair;
    }

    public static bool IsLetterOrDigit(Rune value) => char.IsLetterOrDigit(char.ConvertFromUtf32(value.Value), 0);

    /// <summary>Reads the first scalar value of a text in UTF-8, or U+FFFD for the longest start of one that cannot be continued.</summary>
    /// <param name="source">The text.</param>
    /// <param name="result">The value.</param>
    /// <param name="bytesConsumed">The number of bytes that were read.</param>
    public static OperationStatus DecodeFromUtf8(ReadOnlySpan<byte> source, out Rune result, out int bytesConsumed)
    {
        result = s_replacement;
        bytesConsumed = 0;
        if (source.IsEmpty)
        {
            return OperationStatus.NeedMoreData;
        }

        bytesConsumed = 1;
        int first = source[0];
        int length = first switch
        {
            < 0x80 => 1,
            >= 0xC2 and < 0xE0 => 2,
            >= 0xE0 and < 0xF0 => 3,
            >= 0xF0 and < 0xF5 => 4,
            _ => 0,
        };
        if (length == 0)
        {
            return OperationStatus.InvalidData;
        }

        int value = length == 1 ? first : first & (0x7F >> length);
        for (; bytesConsumed < length; bytesConsumed++)
        {
            if (bytesConsumed == source.Length)
            {
                return OperationStatus.NeedMoreData;
            }

            int next = source[bytesConsumed];
            if (next is < 0x80 or > 0xBF || (bytesConsumed == 1 && !CanFollow(first, next)))
            {
                return OperationStatus.InvalidData;
            }

            value = (value << 6) | (next & 0x3F);
        }

        result = new Rune(value, _: default);
        return OperationStatus.Done;
    }

    public int EncodeToUtf8(Span<byte> destination)
    {
        int length = Value < 0x80 ? 1 : Value < 0x800 ? 2 : Value < 0x1_0000 ? 3 : 4;
        int rest = Value;
        for (int i = length - 1; i > 0; i--, rest >>= 6)
        {
            destination[i] = (byte)(0x80 | (rest & 0x3F));
        }

        destination[0] = (byte)(length == 1 ? rest : (0xF00 >> length) | rest);
        return length;
    }

    public override string ToString() => char.ConvertFromUtf32(Value);

    // Overlong forms, surrogates, and values above the largest code point.
    private static bool CanFollow(int first, int second) => first switch
    {
        0xE0 => second >= 0xA0,
        0xED => second < 0xA0,
        0xF0 => second >= 0x90,
        0xF4 => second < 0x90,
        _ => true,
    };
}
