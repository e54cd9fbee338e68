using System.Diagnostics.CodeAnalysis;

namespace MoeOffload.Gguf;

/// <summary>
/// The header of a GGUF file: what it holds, and where. Read by ggml's <c>docs/gguf.md</c>, versions 2 and 3, in either byte
/// order, and checked against the file's length, so that all of it can be relied upon. Immutable; the file is not kept open.
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

    /// <summary>The file's path; null if it was read from a stream.</summary>
    public string? Path { get; }

    /// <summary>The format's version, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>The byte order, found from the version's.</summary>
    public GgufByteOrder ByteOrder { get; }

    /// <summary>Bytes that each tensor's offset is a multiple of.</summary>
    public int Alignment { get; }

    /// <summary>The key-value pairs.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<GgufTensorInfo> Tensors { get; }

    /// <summary>Bytes from the start of the file to the tensors' data.</summary>
    public long DataOffset { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; }

    /// <summary>The file's place in a split model; null for a model in one file.</summary>
    public GgufSplit? Split { get; }

    /// <summary>Reads and checks the header of a file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The path is a folder, or reading failed.</exception>
    /// <exception cref="GgufFormatException">The file is no GGUF file, damaged, truncated, or of an unknown version.</exception>
    public static GgufFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return new GgufHeaderReader(stream, path).Read();
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            throw new IOException($"'{path}' is a folder; give the path of a .gguf file in it.");
        }
    }

    /// <summary>Reads and checks a header from a stream, from its position on; offsets count from there.</summary>
    /// <exception cref="ArgumentException">The stream cannot tell its length.</exception>
    /// <exception cref="GgufFormatException">The content is not GGUF, damaged, truncated, or of an unknown version.</exception>
    public static GgufFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanSeek
            ? new GgufHeaderReader(stream, path: null).Read()
            : throw new ArgumentException("The stream must be able to tell its length; copy it into a MemoryStream.", nameof(stream));
    }

    /// <summary>Gives a tensor by its name.</summary>
    public bool TryGetTensor(string name, [NotNullWhen(true)] out GgufTensorInfo? tensor) =>
        _byName.Value.TryGetValue(name, out tensor);
}
