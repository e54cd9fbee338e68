using System.Buffers.Binary;
using System.IO.Compression;

namespace MoeOffload.Fixtures;

/// <summary>Small images with known content.</summary>
public static class TinyImages
{
    private static readonly byte[] s_signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Makes a PNG of stripes in a color that the seed decides on.</summary>
    public static byte[] Png(int seed, int width = 48, int height = 48)
    {
        int red = (seed * 67) % 256;
        int green = (seed * 151) % 256;
        return Png(width, height, (x, y) => ((byte)(x / 4 % 2 == 0 ? red : 255 - red), (byte)(y / 6 % 2 == 0 ? green : 255 - green), (byte)((x * y) + seed)));
    }

    /// <summary>Makes a PNG.</summary>
    /// <param name="width">The width.</param>
    /// <param name="height">The height.</param>
    /// <param name="color">The color of a pixel.</param>
    public static byte[] Png(int width, int height, Func<int, int, (byte Red, byte Green, byte Blue)> color)
    {
        byte[] rows = new byte[height * (1 + (3 * width))];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int at = (y * (1 + (3 * width))) + 1 + (3 * x);
                (rows[at], rows[at + 1], rows[at + 2]) = color(x, y);
            }
        }

        return Png(width, height, Compress(rows));
    }

    /// <summary>Makes a PNG whose header claims a size, with any compressed data.</summary>
    public static byte[] Png(int width, int height, byte[] compressed)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = 2;
        return [.. s_signature, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, compressed), .. Chunk("IEND"u8, [])];
    }

    /// <summary>Compresses data as PNG does.</summary>
    public static byte[] Compress(ReadOnlySpan<byte> data)
    {
        using var stream = new MemoryStream();
        using (var zlib = new ZLibStream(stream, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zlib.Write(data);
        }

        return stream.ToArray();
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        byte[] content = [.. type, .. data];
        byte[] check = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc(content));
        return [.. length, .. content, .. check];
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
            }
        }

        return ~crc;
    }
}
