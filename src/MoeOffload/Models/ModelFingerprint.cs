using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MoeOffload.Gguf;

namespace MoeOffload.Models;

/// <summary>Tells models apart without reading them whole: by their headers, sizes, and samples of their weights.</summary>
internal static class ModelFingerprint
{
    private const int Samples = 256;
    private const int SampleSize = 4096;

    /// <summary>A SHA-256 as hexadecimal digits.</summary>
    /// <param name="path">The model's file, or the first of its parts.</param>
    /// <param name="overrides">Metadata that was replaced as it was loaded.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="GgufFormatException">A file is no model any more.</exception>
    public static string Of(string path, IReadOnlyDictionary<string, MetadataValue> overrides)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (GgufFile part in GgufModelFiles.Open(path).Parts)
        {
            Append(hash, part);
        }

        foreach ((string key, MetadataValue value) in overrides.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{key}={value}\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, GgufFile part)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
        hash.AppendData(length);
        using FileStream file = File.OpenRead(part.Path!);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(SampleSize);
        for (long offset = 0; offset < part.DataOffset; offset += SampleSize)
        {
            Append(hash, file, offset, (int)Math.Min(SampleSize, part.DataOffset - offset), buffer);
        }

        long step = Math.Max(SampleSize, (part.Length - part.DataOffset) / Samples);
        for (long offset = part.DataOffset; offset < part.Length; offset += step)
        {
            Append(hash, file, offset, (int)Math.Min(SampleSize, part.Length - offset), buffer);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void Append(IncrementalHash hash, FileStream file, long offset, int length, byte[] buffer)
    {
        file.Position = offset;
        file.ReadExactly(buffer, 0, length);
        hash.AppendData(buffer, 0, length);
    }
}
