using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MoeOffload.Gguf;

namespace MoeOffload.Models;

/// <summary>Computes a hash that identifies a model, without reading the whole model: of its headers, sizes, and samples of its weights.</summary>
internal static class ModelFingerprint
{
    private const int Samples = 256;
    private const int SampleSize = 4096;

    /// <summary>Computes the SHA-256 hash of a model, as hexadecimal digits.</summary>
    /// <param name="path">The path of the model's file, or of its first part.</param>
    /// <param name="overrides">The metadata that was replaced when the model was loaded.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="GgufFormatException">A file is no longer a valid model.</exception>
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
