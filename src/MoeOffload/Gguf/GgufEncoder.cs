using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Gguf;

/// <summary>Encodes numbers, texts and arrays in a byte order.</summary>
internal sealed class GgufEncoder(bool bigEndian)
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public void UInt32(uint value)
    {
        var bytes = _output.GetSpan(sizeof(uint));
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        }

        _output.Advance(sizeof(uint));
    }

    public void UInt64(ulong value)
    {
        var bytes = _output.GetSpan(sizeof(ulong));
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        }

        _output.Advance(sizeof(ulong));
    }

    public void Type(GgufValueType type) => UInt32((uint)type);

    public void Array(GgufValueType elementType, int count)
    {
        Type(GgufValueType.Array);
        Type(elementType);
        UInt64((ulong)count);
    }

    public void Bytes(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    public void Text(ReadOnlySpan<byte> utf8)
    {
        UInt64((ulong)utf8.Length);
        Bytes(utf8);
    }

    public void Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    public void Numbers<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        var destination = _output.GetSpan(bytes.Length)[..bytes.Length];
        bytes.CopyTo(destination);
        if (bigEndian == BitConverter.IsLittleEndian)
        {
            GgufValue.ReverseElements(destination, Unsafe.SizeOf<T>());
        }

        _output.Advance(bytes.Length);
    }

    public void Value(GgufValue value)
    {
        if (value.IsArray)
        {
            Array(value.ElementType, value.Count);
        }
        else
        {
            Type(value.Type);
        }

        if (value.ElementType == GgufValueType.String)
        {
            foreach (var text in value.EnumerateStrings())
            {
                Text(text);
            }

            return;
        }

        var raw = value.RawBytes;
        var destination = _output.GetSpan(raw.Length)[..raw.Length];
        raw.CopyTo(destination);
        if (value.IsBigEndian != bigEndian)
        {
            GgufValue.ReverseElements(destination, GgufValue.SizeOf(value.ElementType));
        }

        _output.Advance(raw.Length);
    }
}
