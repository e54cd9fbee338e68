using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Gguf;

/// <summary>Represents a metadata value, which is decoded from the header's bytes when it is used.</summary>
public readonly struct GgufValue
{
    private readonly GgufHeaderBytes _header;
    private readonly int _position;

    internal GgufValue(GgufHeaderBytes header, int position, GgufValueType type, GgufValueType elementType, int count)
    {
        _header = header;
        _position = position;
        Type = type;
        ElementType = elementType;
        Count = count;
    }

    /// <summary>Gets the type, which is <see cref="GgufValueType.Array"/> for arrays.</summary>
    public GgufValueType Type { get; }

    /// <summary>Gets the type of the elements of an array, or <see cref="Type"/> for other values.</summary>
    public GgufValueType ElementType { get; }

    /// <summary>Gets the number of elements of an array, or 1 for other values.</summary>
    public int Count { get; }

    /// <summary>Gets a value that indicates whether this is an array.</summary>
    public bool IsArray => Type == GgufValueType.Array;

    /// <summary>Gets the bytes of a string, or an empty span for other types. They are not checked to be valid UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8 => Type == GgufValueType.String
        ? _header.Bytes.AsSpan(_position + sizeof(ulong), StringLength(_position))
        : default;

    /// <summary>Gets the bytes of the value in the file, without its type.</summary>
    internal ReadOnlySpan<byte> RawBytes
    {
        get
        {
            var end = _position;
            if (ElementType == GgufValueType.String)
            {
                for (var i = 0; i < Count; i++)
                {
                    end += sizeof(ulong) + StringLength(end);
                }
            }
            else
            {
                end += Count * SizeOf(ElementType);
            }

            return _header.Bytes.AsSpan(_position..end);
        }
    }

    internal bool IsBigEndian => _header.BigEndian;

    /// <summary>Tries to get a string.</summary>
    /// <param name="value">The string, or an empty string if the value is not one.</param>
    /// <returns><see langword="true"/> if the value is a string; otherwise, <see langword="false"/>.</returns>
    public bool TryGetString(out string value)
    {
        value = Type == GgufValueType.String ? Encoding.UTF8.GetString(Utf8) : string.Empty;
        return Type == GgufValueType.String;
    }

    /// <summary>Tries to get a Boolean value.</summary>
    /// <param name="value">The Boolean value.</param>
    /// <returns><see langword="true"/> if the value is a Boolean; otherwise, <see langword="false"/>.</returns>
    public bool TryGetBoolean(out bool value)
    {
        value = Type == GgufValueType.Boolean && _header.Bytes[_position] != 0;
        return Type == GgufValueType.Boolean;
    }

    /// <summary>Tries to get an integer, which can be stored in any size.</summary>
    /// <param name="value">The integer, or 0 if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the value is an integer of at most <see cref="long.MaxValue"/>; otherwise, <see langword="false"/>.</returns>
    public bool TryGetInt64(out long value)
    {
        value = 0;
        if (!IsInteger(Type) || (Type == GgufValueType.UInt64 && Bits(0) > long.MaxValue))
        {
            return false;
        }

        value = GetInt64(0);
        return true;
    }

    /// <summary>Tries to get a floating-point number, which can be stored in any size.</summary>
    /// <param name="value">The number, or 0 if the value is not one.</param>
    /// <returns><see langword="true"/> if the value is a floating-point number; otherwise, <see langword="false"/>.</returns>
    public bool TryGetDouble(out double value)
    {
        var isFloat = Type is GgufValueType.Float32 or GgufValueType.Float64;
        value = isFloat ? GetDouble(0) : 0;
        return isFloat;
    }

    /// <summary>Gets an element of an array of integers. A single integer is treated as an array of one element.</summary>
    /// <param name="index">The zero-based index of the element.</param>
    /// <returns>The element. Values above <see cref="long.MaxValue"/> wrap around.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The element does not exist.</exception>
    /// <exception cref="InvalidOperationException">The elements are not integers.</exception>
    public long GetInt64(int index) => ElementType switch
    {
        GgufValueType.UInt8 or GgufValueType.UInt16 or GgufValueType.UInt32 or GgufValueType.UInt64 => (long)Bits(index),
        GgufValueType.Int8 => (sbyte)Bits(index),
        GgufValueType.Int16 => (short)Bits(index),
        GgufValueType.Int32 => (int)Bits(index),
        GgufValueType.Int64 => (long)Bits(index),
        _ => throw WrongType("integers"),
    };

    /// <summary>Gets an element of an array of floating-point numbers. A single number is treated as an array of one element.</summary>
    /// <param name="index">The zero-based index of the element.</param>
    /// <returns>The element.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The element does not exist.</exception>
    /// <exception cref="InvalidOperationException">The elements are not floating-point numbers.</exception>
    public double GetDouble(int index) => ElementType switch
    {
        GgufValueType.Float32 => BitConverter.UInt32BitsToSingle((uint)Bits(index)),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(Bits(index)),
        _ => throw WrongType("floats"),
    };

    /// <summary>Enumerates the strings of an array without copying them.</summary>
    /// <returns>An enumerator of the strings' bytes.</returns>
    /// <exception cref="InvalidOperationException">The elements are not strings.</exception>
    public GgufStringEnumerator EnumerateStrings() => ElementType == GgufValueType.String
        ? new GgufStringEnumerator(_header.Bytes.AsSpan(_position), Count, _header.BigEndian)
        : throw WrongType("strings");

    /// <summary>Copies the strings of an array.</summary>
    /// <returns>The strings.</returns>
    /// <exception cref="InvalidOperationException">The elements are not strings.</exception>
    public string[] ToStringArray()
    {
        var result = new string[Count];
        var i = 0;
        foreach (var text in EnumerateStrings())
        {
            result[i++] = Encoding.UTF8.GetString(text);
        }

        return result;
    }

    /// <summary>Copies the numbers or Boolean values of an array.</summary>
    /// <typeparam name="T">The .NET type of <see cref="ElementType"/>, such as <see cref="uint"/> for <see cref="GgufValueType.UInt32"/>.</typeparam>
    /// <returns>The elements.</returns>
    /// <exception cref="InvalidOperationException">The type of the elements is not <typeparamref name="T"/>.</exception>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        if (TypeOf<T>() != ElementType)
        {
            throw WrongType(typeof(T).Name);
        }

        var result = new T[Count];
        var bytes = MemoryMarshal.AsBytes(result.AsSpan());
        RawBytes.CopyTo(bytes);
        if (typeof(T) == typeof(bool))
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = bytes[i] != 0 ? (byte)1 : (byte)0;
            }
        }
        else if (_header.BigEndian == BitConverter.IsLittleEndian)
        {
            ReverseElements(bytes, Unsafe.SizeOf<T>());
        }

        return result;
    }

    /// <summary>Returns the value as text, or the type and length of an array.</summary>
    public override string ToString() => Type switch
    {
        GgufValueType.Array => string.Create(CultureInfo.InvariantCulture, $"{ElementType}[{Count}]"),
        GgufValueType.String => Encoding.UTF8.GetString(Utf8),
        GgufValueType.Boolean => _header.Bytes[_position] != 0 ? "true" : "false",
        GgufValueType.UInt64 => Bits(0).ToString(CultureInfo.InvariantCulture),
        GgufValueType.Float32 => ((float)GetDouble(0)).ToString(CultureInfo.InvariantCulture),
        GgufValueType.Float64 => GetDouble(0).ToString(CultureInfo.InvariantCulture),
        _ => GetInt64(0).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Gets the size of an element, in bytes, or 0 for strings and arrays, or -1 if the type is unknown.</summary>
    internal static int SizeOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Boolean => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        GgufValueType.String or GgufValueType.Array => 0,
        _ => -1,
    };

    internal static GgufValueType? TypeOf<T>() => default(T) switch
    {
        byte => GgufValueType.UInt8,
        sbyte => GgufValueType.Int8,
        ushort => GgufValueType.UInt16,
        short => GgufValueType.Int16,
        uint => GgufValueType.UInt32,
        int => GgufValueType.Int32,
        float => GgufValueType.Float32,
        bool => GgufValueType.Boolean,
        ulong => GgufValueType.UInt64,
        long => GgufValueType.Int64,
        double => GgufValueType.Float64,
        _ => null,
    };

    internal static void ReverseElements(Span<byte> bytes, int size)
    {
        for (var i = 0; size > 1 && i < bytes.Length; i += size)
        {
            bytes.Slice(i, size).Reverse();
        }
    }

    private static bool IsInteger(GgufValueType type) => type is GgufValueType.UInt8 or GgufValueType.Int8
        or GgufValueType.UInt16 or GgufValueType.Int16 or GgufValueType.UInt32 or GgufValueType.Int32
        or GgufValueType.UInt64 or GgufValueType.Int64;

    private ulong Bits(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var size = SizeOf(ElementType);
        var bytes = _header.Bytes.AsSpan(_position + (index * size), size);
        return size switch
        {
            1 => bytes[0],
            2 => _header.BigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            4 => _header.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            _ => _header.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        };
    }

    private int StringLength(int position)
    {
        var bytes = _header.Bytes.AsSpan(position, sizeof(ulong));
        return (int)(_header.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes));
    }

    private InvalidOperationException WrongType(string wanted) =>
        new($"The value is {(IsArray ? $"an array of {ElementType}" : $"of type {Type}")}, not of {wanted}.");
}
