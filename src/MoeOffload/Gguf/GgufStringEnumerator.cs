using System.Buffers.Binary;

namespace MoeOffload.Gguf;

/// <summary>Goes through the UTF-8 strings of a metadata array in place.</summary>
public ref struct GgufStringEnumerator
{
    private readonly bool _bigEndian;
    private ReadOnlySpan<byte> _rest;
    private int _left;

    internal GgufStringEnumerator(ReadOnlySpan<byte> strings, int count, bool bigEndian)
    {
        _rest = strings;
        _left = count;
        _bigEndian = bigEndian;
    }

    /// <summary>The bytes of the string that <see cref="MoveNext"/> went to.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Goes to the next string; false at the end.</summary>
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        var length = (int)(_bigEndian ? BinaryPrimitives.ReadUInt64BigEndian(_rest) : BinaryPrimitives.ReadUInt64LittleEndian(_rest));
        Current = _rest.Slice(sizeof(ulong), length);
        _rest = _rest[(sizeof(ulong) + length)..];
        _left--;
        return true;
    }

    /// <summary>Gives the enumerator itself, for <c>foreach</c>.</summary>
    public readonly GgufStringEnumerator GetEnumerator() => this;
}
