using System.Security.Cryptography;

namespace MoeOffload;

/// <summary>Represents an image in a prompt: a file in the format PNG, JPEG, GIF (of which the first frame counts) or BMP.</summary>
/// <remarks>The image is decoded when the request is prepared, and not by this type. Instances are immutable and thread-safe.</remarks>
public sealed class PromptImage
{
    /// <summary>The maximum size of the file, in bytes: 64 MiB.</summary>
    public const int MaxByteCount = 64 << 20;

    /// <summary>The maximum number of pixels: 64 million.</summary>
    public const long MaxPixelCount = 64_000_000;

    private const int BufferSize = 1 << 16;

    private readonly byte[] _data;
    private readonly Lazy<string> _hash;

    private PromptImage(byte[] data)
    {
        _data = data.Length > 0 ? data : throw new ImageFormatException("The image is empty.");
        _hash = new Lazy<string>(() => HashOf(data));
    }

    /// <summary>Gets the bytes of the file.</summary>
    public ReadOnlyMemory<byte> Data => _data;

    /// <summary>Gets the media type that the first bytes indicate, such as <c>image/png</c>, or <c>application/octet-stream</c> if it is unknown.</summary>
    public string MediaType => _data switch
    {
        [0x89, 0x50, 0x4E, 0x47, ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x47, 0x49, 0x46, 0x38, ..] => "image/gif",
        [0x42, 0x4D, ..] => "image/bmp",
        [0x52, 0x49, 0x46, 0x46, _, _, _, _, 0x57, 0x45, 0x42, 0x50, ..] => "image/webp",
        _ => "application/octet-stream",
    };

    /// <summary>Gets the SHA-256 hash of the file in hexadecimal digits. Images with the same hash are the same to the prefix cache.</summary>
    internal string Hash => _hash.Value;

    /// <summary>Creates an image from the bytes of a file, which are copied.</summary>
    /// <param name="data">The bytes of the file.</param>
    /// <exception cref="ImageFormatException">There are no bytes, or more than <see cref="MaxByteCount"/>.</exception>
    public static PromptImage FromBytes(ReadOnlySpan<byte> data) => data.Length > MaxByteCount ? throw TooLarge() : new PromptImage(data.ToArray());

    /// <summary>Reads an image from a file. Blocks for the time that reading takes; see <see cref="FromFileAsync"/>.</summary>
    /// <param name="path">The path of the file.</param>
    /// <exception cref="ImageFormatException">The file is empty, or has more than <see cref="MaxByteCount"/> bytes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PromptImage FromFile(string path)
    {
        using FileStream file = Open(path);
        using var copy = new MemoryStream();
        byte[] buffer = new byte[BufferSize];
        while (file.Read(buffer, 0, buffer.Length) is > 0 and var count)
        {
            Append(copy, buffer, count);
        }

        return new PromptImage(copy.ToArray());
    }

    /// <summary>Reads an image from a file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">A token that cancels reading.</param>
    /// <inheritdoc cref="FromFile" path="/exception"/>
    /// <exception cref="OperationCanceledException">Reading was canceled.</exception>
    public static async Task<PromptImage> FromFileAsync(string path, CancellationToken cancellationToken = default)
    {
        FileStream file = Open(path);
        await using (file.ConfigureAwait(false))
        {
            return await FromStreamAsync(file, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads an image from a stream to its end.</summary>
    /// <param name="stream">The stream, which is not closed.</param>
    /// <param name="cancellationToken">A token that cancels reading.</param>
    /// <exception cref="ImageFormatException">The stream has no bytes, or more than <see cref="MaxByteCount"/>.</exception>
    /// <exception cref="OperationCanceledException">Reading was canceled.</exception>
    public static async Task<PromptImage> FromStreamAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var copy = new MemoryStream();
        byte[] buffer = new byte[BufferSize];
        while (await stream.ReadAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            Append(copy, buffer, count);
        }

        return new PromptImage(copy.ToArray());
    }

    /// <inheritdoc/>
    public override string ToString() => $"{MediaType}, {_data.Length} bytes";

    private static FileStream Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return File.OpenRead(path);
    }

    // The length of a device or of a file that is being written is not known before its end.
    private static void Append(MemoryStream copy, byte[] buffer, int count)
    {
        if (copy.Length + count > MaxByteCount)
        {
            throw TooLarge();
        }

        copy.Write(buffer, 0, count);
    }

    private static ImageFormatException TooLarge() => new($"The image has more than {MaxByteCount} bytes. Make it smaller.");

    private static string HashOf(byte[] data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(data);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
