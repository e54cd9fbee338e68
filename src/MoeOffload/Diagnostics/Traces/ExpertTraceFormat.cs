using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MoeOffload.Diagnostics.Traces;

/// <summary>Defines the format of traces, which docs/tracing.md describes, and encodes the header.</summary>
internal static class ExpertTraceFormat
{
    /// <summary>Gets the first bytes of every trace.</summary>
    public static ReadOnlySpan<byte> Magic => "MOETRACE"u8;

    /// <summary>The version of the format.</summary>
    public const int Version = 1;

    /// <summary>The record that ends a trace.</summary>
    public const byte EndRecord = 0;

    /// <summary>The record of what a router chose in a micro-batch.</summary>
    public const byte ChoicesRecord = 1;

    /// <summary>The record that ends a step, after its choices.</summary>
    public const byte StepRecord = 2;

    /// <summary>The flag of a step that was not computed to its end.</summary>
    public const byte Incomplete = 1;

    /// <summary>The length of the magic number and the version, in bytes.</summary>
    public const int StartLength = 12;

    /// <summary>The length of the hash of a model, and of the checksum, in bytes.</summary>
    public const int HashLength = 32;

    /// <summary>The most layers of a trace, which is more than llama.cpp loads.</summary>
    public const int MostLayers = 4096;

    /// <summary>The most experts of a layer. The number after them stands for a choice that was left out.</summary>
    public const int MostExperts = ushort.MaxValue;

    /// <summary>The most tokens of a step, which is the largest batch.</summary>
    public const int MostTokens = 1 << 20;

    /// <summary>The most bytes of a text.</summary>
    public const int LongestText = 1024;

    /// <summary>The largest size of an expert, in bytes.</summary>
    public const long LargestExpert = 1L << 40;

    /// <summary>Gets the number of bytes of a choice. The largest number of that many bytes stands for a choice that was left out.</summary>
    public static int WidthOf(int expertCount) => expertCount <= byte.MaxValue ? 1 : 2;

    /// <summary>Encodes what comes before the records.</summary>
    public static byte[] EncodeHeader(ExpertTraceModel model)
    {
        byte[] architecture = EncodeText(model.Architecture);
        byte[] name = EncodeText(model.Name);
        byte[] header = new byte[StartLength + (3 * sizeof(int)) + HashLength + architecture.Length + name.Length + (model.LayerCount * sizeof(long))];
        Magic.CopyTo(header);
        Span<byte> rest = header.AsSpan(Magic.Length);
        foreach (int number in (ReadOnlySpan<int>)[Version, model.LayerCount, model.ExpertCount, model.ExpertUsedCount])
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, number);
            rest = rest[sizeof(int)..];
        }

        for (int i = 0; i < HashLength; i++)
        {
            rest[i] = byte.Parse(model.Fingerprint.AsSpan(2 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        }

        rest = rest[HashLength..];
        foreach (byte[] text in (byte[][])[architecture, name])
        {
            text.CopyTo(rest);
            rest = rest[text.Length..];
        }

        foreach (long bytes in model.ExpertBytes)
        {
            BinaryPrimitives.WriteInt64LittleEndian(rest, bytes);
            rest = rest[sizeof(long)..];
        }

        return header;
    }

    private static byte[] EncodeText(string text)
    {
        // A text that is cut could end within a character, which the reader replaces.
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, LongestText);
        byte[] encoded = new byte[sizeof(ushort) + length];
        BinaryPrimitives.WriteUInt16LittleEndian(encoded, (ushort)length);
        bytes.AsSpan(0, length).CopyTo(encoded.AsSpan(sizeof(ushort)));
        return encoded;
    }
}
