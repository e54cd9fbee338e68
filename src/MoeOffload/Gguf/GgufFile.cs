using System.Diagnostics.CodeAnalysis;
using MoeOffload.Shared;

namespace MoeOffload.Gguf;

/// <summary>
/// Represents the header of a GGUF file, with its metadata and the description of its tensors. Versions 2 and 3 of the format, as
/// described in ggml's <c>docs/gguf.md</c>, are supported in either byte order. The header is fully checked, also against the length of
/// the file. Instances are immutable and do not keep the file open.
/// </summary>
public sealed class GgufFile
{
    private readonly Lazy<Dictionary<string, GgufTensorInfo>> _byName;

    internal GgufFile(
        string? path,
        int version,
        int alignment,
        GgufMetadata metadata,
        GgufTensorInfo[] tensors,
        long dataOffset,
        GgufSplit? split,
        GgufHeaderBuffer buffer)
    {
        Path = path;
        Version = version;
        ByteOrder = buffer.Header.BigEndian ? GgufByteOrder.BigEndian : GgufByteOrder.LittleEndian;
        Alignment = alignment;
        Metadata = metadata;
        Tensors = tensors;
        DataOffset = dataOffset;
        Length = buffer.Length;
        Split = split;
        _byName = new(() => tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal));
    }

    /// <summary>Gets the path of the file, or <see langword="null"/> if the header was read from a stream.</summary>
    public string? Path { get; }

    /// <summary>Gets the version of the format, which is 2 or 3.</summary>
    public int Version { get; }

    /// <summary>Gets the byte order.</summary>
    public GgufByteOrder ByteOrder { get; }

    /// <summary>Gets the alignment of the tensors' offsets, in bytes.</summary>
    public int Alignment { get; }

    /// <summary>Gets the metadata.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>Gets the tensors, in the order of the file.</summary>
    public IReadOnlyList<GgufTensorInfo> Tensors { get; }

    /// <summary>Gets the offset of the tensors' data from the start of the file, in bytes.</summary>
    public long DataOffset { get; }

    /// <summary>Gets the length of the file, in bytes.</summary>
    public long Length { get; }

    /// <summary>Gets the position of the file in a split model, or <see langword="null"/> if the model is a single file.</summary>
    public GgufSplit? Split { get; }

    /// <summary>Reads and checks the header of a file. Blocks while the file is read; see <see cref="OpenAsync"/>.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The header.</returns>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="DirectoryNotFoundException">The directory does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    /// <exception cref="IOException">The path is a directory, or the file could not be read.</exception>
    /// <exception cref="GgufFormatException">The file is not a GGUF file, is damaged or truncated, or its version is not supported.</exception>
    public static GgufFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            return new GgufHeaderReader(stream, path).Read();
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            throw new IOException($"'{path}' is a folder; give the path of a .gguf file in it.");
        }
    }

    /// <summary>Reads and checks the header of a file without blocking the caller.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The header.</returns>
    /// <inheritdoc cref="Open" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<GgufFile> OpenAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return BackgroundCall.RunAsync(() => Open(path), cancellationToken);
    }

    /// <summary>
    /// Reads and checks the header of a file in a stream. The file starts at the stream's current position. Blocks while the stream is read;
    /// see <see cref="ReadAsync"/>.
    /// </summary>
    /// <param name="stream">The stream, which must support seeking.</param>
    /// <returns>The header.</returns>
    /// <exception cref="ArgumentException">The stream does not support seeking.</exception>
    /// <exception cref="GgufFormatException">The content is not a GGUF file, is damaged or truncated, or its version is not supported.</exception>
    public static GgufFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanSeek
            ? new GgufHeaderReader(stream, path: null).Read()
            : throw new ArgumentException("The stream must support seeking. Copy it to a MemoryStream.", nameof(stream));
    }

    /// <summary>
    /// Reads and checks the header of a file in a stream without blocking the caller. The file starts at the stream's current position.
    /// </summary>
    /// <param name="stream">The stream, which must support seeking. It is no longer used when the task has completed.</param>
    /// <param name="cancellationToken">A token that cancels the call. If reading has begun, it ends first.</param>
    /// <returns>The header.</returns>
    /// <inheritdoc cref="Read" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<GgufFile> ReadAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return BackgroundCall.RunToEndAsync(() => Read(stream), cancellationToken);
    }

    /// <summary>Tries to get a tensor by its name.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="tensor">The tensor, if it exists.</param>
    /// <returns><see langword="true"/> if the tensor exists; otherwise, <see langword="false"/>.</returns>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out GgufTensorInfo? tensor) =>
        _byName.Value.TryGetValue(name, out tensor);
}
