using System.Buffers.Binary;

namespace MoeOffload.Gguf;

/// <summary>Enumerates the UTF-8 strings of a metadata array without copying them.</summary>
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

    /// <summary>Gets the bytes of the current string.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    /// <summary>Advances the enumerator to the next string.</summary>
    /// <returns><see langword="true"/> if there is a next string; otherwise, <see langword="false"/>.</returns>
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

    /// <summary>Returns this enumerator, so that it can be used with <c>foreach</c>.</summary>
    /// <returns>This enumerator.</returns>
    public readonly GgufStringEnumerator GetEnumerator() => this;
}
