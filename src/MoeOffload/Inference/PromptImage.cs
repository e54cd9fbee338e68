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

    private readonly byte[] _data;
    private readonly Lazy<string> _hash;

    private PromptImage(byte[] data)
    {
        if (data.Length is 0 or > MaxByteCount)
        {
            throw new ImageFormatException(data.Length == 0
                ? "The image is empty."
                : $"The image has {data.Length} bytes; at most {MaxByteCount} are allowed. Make it smaller.");
        }

        _data = data;
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
    public static PromptImage FromBytes(ReadOnlySpan<byte> data) => data.Length > MaxByteCount ? throw TooLarge(data.Length) : new PromptImage(data.ToArray());

    /// <summary>Reads an image from a file. Blocks for the time that reading takes; see <see cref="FromFileAsync"/>.</summary>
    /// <param name="path">The path of the file.</param>
    /// <exception cref="ImageFormatException">The file is empty, or has more than <see cref="MaxByteCount"/> bytes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PromptImage FromFile(string path)
    {
        using FileStream file = Open(path);
        using var copy = new MemoryStream((int)file.Length);
        file.CopyTo(copy);
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
        byte[] buffer = new byte[1 << 16];
        while (true)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return new PromptImage(copy.ToArray());
            }

            if (copy.Length + count > MaxByteCount)
            {
                throw TooLarge(copy.Length + count);
            }

            copy.Write(buffer, 0, count);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{MediaType}, {_data.Length} bytes";

    private static FileStream Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        FileStream file = File.OpenRead(path);
        if (file.Length <= MaxByteCount)
        {
            return file;
        }

        long length = file.Length;
        file.Dispose();
        throw TooLarge(length);
    }

    private static ImageFormatException TooLarge(long length) => new($"The image has {length} bytes; at most {MaxByteCount} are allowed. Make it smaller.");

    private static string HashOf(byte[] data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(data);
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
