using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace MoeOffload.Gguf;

/// <summary>
/// Parses and checks a header as described in ggml's <c>docs/gguf.md</c>. It rejects what llama.cpp's reader rejects, and what the format
/// forbids. Every count and length is compared with the remaining bytes before it is used.
/// </summary>
internal sealed class GgufHeaderReader(Stream stream, string? path)
{
    internal const int DefaultAlignment = 32;
    internal const int MaxKeyBytes = 65535;

    private const int MagicBytes = 4;
    private const int MaxArrayElements = 1024 * 1024 * 1024;
    private const int MinimumPairBytes = 8 + 1 + 4 + 1;
    private const string Damaged = "the file is damaged; download it again";

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly long _start = stream.Position;
    private readonly GgufHeaderBuffer _buffer = new(stream, stream.Length - stream.Position);
    private string _where = "the header";

    public GgufFile Read()
    {
        var version = ReadMagicAndVersion();
        var tensorCount = ReadCount("tensors", GgufTensorReader.MinimumBytes);
        var pairCount = ReadCount("metadata pairs", MinimumPairBytes);
        var metadata = ReadMetadata(pairCount);
        var split = ReadSplit(metadata);
        var alignment = ReadAlignment(metadata);
        var tensors = new GgufTensorReader(this, alignment, split?.Index ?? 0).Read(tensorCount, out var dataOffset);
        return new GgufFile(path, version, alignment, metadata, tensors, dataOffset, split, _buffer);
    }

    public GgufHeaderBuffer Buffer => _buffer;

    /// <summary>Sets the name of what is being read, for error messages.</summary>
    public void At(string where) => _where = where;

    public GgufFormatException Fail(string what) =>
        new($"{(path is null ? "GGUF stream" : $"'{path}'")}: {_where}: {what}.");

    public GgufFormatException FailDamaged(string what) => Fail($"{what}: {Damaged}");

    public void Require(long bytes, string what)
    {
        if (_buffer.TryRequire(bytes))
        {
            return;
        }

        throw bytes > _buffer.Remaining
            ? Fail($"the file ends within {what}: it is truncated; download it again")
            : FailDamaged($"the header grows beyond {GgufHeaderBuffer.MaxHeaderBytes / (1024 * 1024)} MiB, which is more than any model has");
    }

    public string ReadName(string what, int most)
    {
        var bytes = _buffer.Take(ReadStringLength(what, most));
        if (bytes.Contains((byte)0))
        {
            throw FailDamaged($"the {what} has a zero byte in it");
        }

        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw FailDamaged($"the {what} is not valid UTF-8");
        }
    }

    /// <summary>
    /// Rejects files that were appended to each other, of which only the first one would be read: a split model whose parts were joined as if
    /// they were pieces of one file.
    /// </summary>
    /// <param name="end">The end of the tensors.</param>
    /// <param name="alignment">The alignment of the tensors, up to which the file can be padded.</param>
    public void CheckEnd(long end, int alignment)
    {
        At("the end of the tensors");
        var padded = (end + alignment - 1) & -(long)alignment;
        if (IsMagicAt(end) || IsMagicAt(padded))
        {
            throw Fail(
                "another GGUF file begins there, of which nothing would be read. The parts of a split model must stay separate files, with names such as "
                + $"'{GgufSplit.GetPath("NAME", 0, 2)}'; to make one file of them, use llama.cpp's llama-gguf-split --merge");
        }
    }

    private bool IsMagicAt(long offset)
    {
        if (offset > _buffer.Length - MagicBytes)
        {
            return false;
        }

        Span<byte> found = stackalloc byte[MagicBytes];
        stream.Position = _start + offset;
        return stream.ReadAtLeast(found, MagicBytes, throwOnEndOfStream: false) == MagicBytes && found.SequenceEqual("GGUF"u8);
    }

    private int ReadMagicAndVersion()
    {
        if (_buffer.Length == 0)
        {
            throw Fail("the file is empty; download it again");
        }

        Require(MagicBytes, "the magic number");
        var magic = _buffer.Take(MagicBytes);
        if (!magic.SequenceEqual("GGUF"u8))
        {
            throw Fail($"it begins with the bytes {Convert.ToHexString(magic)}, not with 'GGUF': this is not a GGUF file");
        }

        Require(4, "the version");
        var version = _buffer.ReadUInt32();

        // Versions are small, so a low half of zero means the other byte order.
        if ((version & 0xFFFF) == 0 && version != 0)
        {
            _buffer.Header.BigEndian = true;
            version = BinaryPrimitives.ReverseEndianness(version);
        }

        return version switch
        {
            1 => throw Fail("GGUF version 1 is no longer read by llama.cpp: convert the model again, or download a newer file"),
            2 or 3 => (int)version,
            _ => throw Fail($"GGUF version {version} is not supported, only 2 and 3 are: the file is damaged, or newer than this version of MoeOffload"),
        };
    }

    private int ReadCount(string what, int minimumBytes)
    {
        Require(8, what);
        var count = _buffer.ReadUInt64();
        return count <= (ulong)Math.Min(_buffer.Remaining / minimumBytes, int.MaxValue)
            ? (int)count
            : throw FailDamaged($"it claims {count} {what}, for which the {_buffer.Remaining} bytes that follow have no room");
    }

    private GgufMetadata ReadMetadata(int count)
    {
        var values = new OrderedDictionary<string, GgufValue>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            At($"metadata pair {i}");
            var key = ReadName("key", MaxKeyBytes);
            if (key.Length == 0)
            {
                throw FailDamaged("the key is empty");
            }

            At($"metadata pair {i} '{key}'");
            if (!values.TryAdd(key, ReadValue()))
            {
                throw FailDamaged("an earlier pair has the same key");
            }
        }

        return new GgufMetadata(values);
    }

    private GgufValue ReadValue()
    {
        var type = ReadValueType();
        if (type != GgufValueType.Array)
        {
            return SkipValue(type, type, 1);
        }

        var elementType = ReadValueType();
        if (elementType == GgufValueType.Array)
        {
            throw Fail("the value is an array of arrays, which llama.cpp does not read");
        }

        Require(8, "an array's length");
        var count = _buffer.ReadUInt64();
        var elementBytes = elementType == GgufValueType.String ? sizeof(ulong) : GgufValue.SizeOf(elementType);
        return count <= (ulong)Math.Min(_buffer.Remaining / elementBytes, MaxArrayElements)
            ? SkipValue(type, elementType, (int)count)
            : throw FailDamaged($"it claims {count} elements, for which the {_buffer.Remaining} bytes that follow have no room");
    }

    private GgufValueType ReadValueType()
    {
        Require(4, "a value's type");
        var type = _buffer.ReadUInt32();
        return GgufValue.SizeOf((GgufValueType)type) >= 0 ? (GgufValueType)type : throw FailDamaged($"value type {type} is unknown");
    }

    private GgufValue SkipValue(GgufValueType type, GgufValueType elementType, int count)
    {
        var value = new GgufValue(_buffer.Header, _buffer.Position, type, elementType, count);
        if (elementType != GgufValueType.String)
        {
            var bytes = (long)count * GgufValue.SizeOf(elementType);
            Require(bytes, "a value");
            _buffer.Skip((int)bytes);
            return value;
        }

        var left = count;
        while ((left -= _buffer.SkipStrings(left)) > 0)
        {
            _buffer.Skip(ReadStringLength("text", int.MaxValue));
            left--;
        }

        return value;
    }

    private int ReadStringLength(string what, int most)
    {
        Require(8, "a text's length");
        var length = _buffer.ReadUInt64();
        if (length > (ulong)_buffer.Remaining)
        {
            throw FailDamaged($"a {what} claims {length} bytes, and only {_buffer.Remaining} are left");
        }

        if (length > (ulong)most)
        {
            throw FailDamaged($"a {what} claims {length} bytes, and {most} are allowed");
        }

        Require((long)length, what);
        return (int)length;
    }

    private int ReadAlignment(GgufMetadata metadata)
    {
        At($"metadata '{GgufKeys.Alignment}'");
        if (!metadata.TryGetValue(GgufKeys.Alignment, out var value))
        {
            return DefaultAlignment;
        }

        RequireType(value, GgufValueType.UInt32);
        var alignment = value.GetInt64(0);
        return BitOperations.IsPow2(alignment) && alignment <= int.MaxValue
            ? (int)alignment
            : throw FailDamaged($"{alignment} is not a power of two");
    }

    private GgufSplit? ReadSplit(GgufMetadata metadata)
    {
        var count = ReadSplitNumber(metadata, GgufKeys.SplitCount, GgufValueType.UInt16);
        return count is null or <= 1
            ? null
            : new GgufSplit(
                ReadSplitNumber(metadata, GgufKeys.SplitIndex, GgufValueType.UInt16) ?? throw FailDamaged("it is missing"),
                count.Value,
                ReadSplitNumber(metadata, GgufKeys.SplitTensorCount, GgufValueType.Int32) ?? throw FailDamaged("it is missing"));
    }

    private int? ReadSplitNumber(GgufMetadata metadata, string key, GgufValueType type)
    {
        At($"metadata '{key}'");
        if (!metadata.TryGetValue(key, out var value))
        {
            return null;
        }

        RequireType(value, type);
        return (int)value.GetInt64(0);
    }

    private void RequireType(GgufValue value, GgufValueType type)
    {
        if (value.Type != type)
        {
            throw FailDamaged($"the value is of type {value.Type}, not {type}");
        }
    }
}
