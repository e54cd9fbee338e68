using MoeOffload.Gguf;

namespace MoeOffload.Tests.Gguf;

/// <summary>Hand-made GGUF bytes, for headers that the writer would refuse.</summary>
internal static class RawGguf
{
    public static byte[] Header(uint version = 3, ulong tensors = 0, ulong pairs = 0, Action<GgufEncoder>? rest = null, int data = 0)
    {
        var encoder = new GgufEncoder(bigEndian: false);
        encoder.Bytes("GGUF"u8);
        encoder.UInt32(version);
        encoder.UInt64(tensors);
        encoder.UInt64(pairs);
        rest?.Invoke(encoder);
        if (tensors > 0)
        {
            encoder.Bytes(new byte[-encoder.Written.Length & 31]);
        }

        encoder.Bytes(new byte[data]);
        return encoder.Written.ToArray();
    }

    public static void Pair(this GgufEncoder encoder, string key, uint value)
    {
        encoder.Text(key);
        encoder.Type(GgufValueType.UInt32);
        encoder.UInt32(value);
    }

    public static void Tensor(this GgufEncoder encoder, string name, GgmlType type, ulong offset, params ReadOnlySpan<long> dimensions)
    {
        encoder.Text(name);
        encoder.UInt32((uint)dimensions.Length);
        encoder.Numbers(dimensions);
        encoder.UInt32((uint)type);
        encoder.UInt64(offset);
    }

    public static GgufFile Read(byte[] bytes) => GgufFile.Read(new MemoryStream(bytes));
}
