using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Gguf;

/// <summary>A metadata value, read from the header's bytes when it is asked for: a vocabulary costs nothing until then.</summary>
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

    /// <summary>The type, <see cref="GgufValueType.Array"/> for arrays.</summary>
    public GgufValueType Type { get; }

    /// <summary>The type of an array's elements; for anything else <see cref="Type"/>.</summary>
    public GgufValueType ElementType { get; }

    /// <summary>Elements of an array; for anything else 1.</summary>
    public int Count { get; }

    /// <summary>Whether this is an array.</summary>
    public bool IsArray => Type == GgufValueType.Array;

    /// <summary>The bytes of a string, empty for other types. Not checked to be valid UTF-8.</summary>
    public ReadOnlySpan<byte> Utf8 => Type == GgufValueType.String
        ? _header.Bytes.AsSpan(_position + sizeof(ulong), StringLength(_position))
        : default;

    /// <summary>The value's bytes as the file has them, those after its type.</summary>
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

    /// <summary>Gives a string; false for other types.</summary>
    public bool TryGetString(out string value)
    {
        value = Type == GgufValueType.String ? Encoding.UTF8.GetString(Utf8) : string.Empty;
        return Type == GgufValueType.String;
    }

    /// <summary>Gives a boolean; false for other types.</summary>
    public bool TryGetBoolean(out bool value)
    {
        value = Type == GgufValueType.Boolean && _header.Bytes[_position] != 0;
        return Type == GgufValueType.Boolean;
    }

    /// <summary>Gives an integer of any width that fits; false for other types and for larger values.</summary>
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

    /// <summary>Gives a float of any width; false for other types.</summary>
    public bool TryGetDouble(out double value)
    {
        var isFloat = Type is GgufValueType.Float32 or GgufValueType.Float64;
        value = isFloat ? GetDouble(0) : 0;
        return isFloat;
    }

    /// <summary>Gives an element of an integer array, or the integer itself as element 0. Values above <see cref="long.MaxValue"/> wrap.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="InvalidOperationException">These are no integers.</exception>
    public long GetInt64(int index) => ElementType switch
    {
        GgufValueType.UInt8 or GgufValueType.UInt16 or GgufValueType.UInt32 or GgufValueType.UInt64 => (long)Bits(index),
        GgufValueType.Int8 => (sbyte)Bits(index),
        GgufValueType.Int16 => (short)Bits(index),
        GgufValueType.Int32 => (int)Bits(index),
        GgufValueType.Int64 => (long)Bits(index),
        _ => throw WrongType("integers"),
    };

    /// <summary>Gives an element of a float array, or the float itself as element 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="InvalidOperationException">These are no floats.</exception>
    public double GetDouble(int index) => ElementType switch
    {
        GgufValueType.Float32 => BitConverter.UInt32BitsToSingle((uint)Bits(index)),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(Bits(index)),
        _ => throw WrongType("floats"),
    };

    /// <summary>Goes through the strings of an array without making any.</summary>
    /// <exception cref="InvalidOperationException">These are no strings.</exception>
    public GgufStringEnumerator EnumerateStrings() => ElementType == GgufValueType.String
        ? new GgufStringEnumerator(_header.Bytes.AsSpan(_position), Count, _header.BigEndian)
        : throw WrongType("strings");

    /// <summary>Copies an array of strings.</summary>
    /// <exception cref="InvalidOperationException">These are no strings.</exception>
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

    /// <summary>Copies an array of numbers or booleans.</summary>
    /// <typeparam name="T">Exactly the .NET type of <see cref="ElementType"/>: <see cref="uint"/> for <see cref="GgufValueType.UInt32"/>.</typeparam>
    /// <exception cref="InvalidOperationException">The elements are of another type.</exception>
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

    /// <summary>Prints a value in short: an array as its type and length.</summary>
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

    /// <summary>Gives the bytes of one element, 0 for strings and arrays, -1 for no type.</summary>
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
