using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace MoeOffload.Gguf;

/// <summary>
/// Reads the bytes of a header in large blocks as the parser needs them, and keeps them, so that values can be decoded on demand. The
/// buffer is never larger than the file.
/// </summary>
internal sealed class GgufHeaderBuffer(Stream stream, long length)
{
    /// <summary>The maximum size of a header, in bytes. It is far above real sizes: a vocabulary of 256,000 tokens takes about 20 MiB.</summary>
    internal const int MaxHeaderBytes = 256 * 1024 * 1024;

    private const int FirstRead = 1024 * 1024;

    private int _filled;

    public GgufHeaderBytes Header { get; } = new();

    public int Position { get; private set; }

    public long Length => length;

    public long Remaining => length - Position;

    /// <summary>Makes a number of bytes available. Returns <see langword="false"/> if the file or the maximum size of a header ends before.</summary>
    public bool TryRequire(long count) => count <= _filled - Position || (count <= Remaining && TryFill(count));

    public void Skip(int count) => Position += count;

    public uint ReadUInt32()
    {
        var bytes = Take(sizeof(uint));
        return Header.BigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong ReadUInt64()
    {
        var bytes = Take(sizeof(ulong));
        return Header.BigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        var bytes = Header.Bytes.AsSpan(Position, count);
        Position += count;
        return bytes;
    }

    /// <summary>Skips the strings that are completely in the buffer, up to a maximum number, and returns the number of skipped strings.</summary>
    /// <remarks>Vocabularies of 150,000 tokens are read here before the first token is generated, when tiered compilation has not optimized yet.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int SkipStrings(int most)
    {
        var bytes = Header.Bytes.AsSpan(0, _filled);
        var swap = Header.BigEndian;
        var position = Position;
        var count = 0;
        while (count < most && bytes.Length - position >= sizeof(ulong))
        {
            var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[position..]);
            length = swap ? BinaryPrimitives.ReverseEndianness(length) : length;
            if (length > (ulong)(bytes.Length - position - sizeof(ulong)))
            {
                break;
            }

            position += sizeof(ulong) + (int)length;
            count++;
        }

        Position = position;
        return count;
    }

    private bool TryFill(long count)
    {
        if (Position + count > MaxHeaderBytes)
        {
            return false;
        }

        var wanted = (int)Math.Min(Math.Min(length, MaxHeaderBytes), Math.Max(Position + count, Math.Max(FirstRead, 2L * _filled)));
        var grown = GC.AllocateUninitializedArray<byte>(wanted);
        Header.Bytes.AsSpan(0, _filled).CopyTo(grown);
        Header.Bytes = grown;
        _filled += stream.ReadAtLeast(grown.AsSpan(_filled), wanted - _filled, throwOnEndOfStream: false);
        return Position + count <= _filled;
    }
}
