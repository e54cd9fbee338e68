using System.Numerics;
using System.Text;
using MoeOffload.Shared;

namespace MoeOffload.Gguf;

/// <summary>
/// Writes a GGUF file in the format of ggml's <c>docs/gguf.md</c>. Metadata and tensors can be added in any order and are written
/// together; the tensors' data is streamed from its sources. Adding what the reader would reject throws an exception.
/// </summary>
public sealed class GgufWriter
{
    private const int ChunkBytes = 1024 * 1024;

    private readonly GgufWriterOptions _options;
    private readonly bool _bigEndian;
    private readonly OrderedDictionary<string, byte[]> _metadata = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, PendingTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Initializes a new instance of the <see cref="GgufWriter"/> class, without metadata and tensors.</summary>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The version is not supported, or the alignment is not a power of two.</exception>
    public GgufWriter(GgufWriterOptions? options = null)
    {
        _options = options ?? new GgufWriterOptions();
        if (_options.Version is not (2 or 3))
        {
            throw new ArgumentException($"Version {_options.Version} is not supported, only 2 and 3 are.", nameof(options));
        }

        if (!BitOperations.IsPow2(_options.Alignment))
        {
            throw new ArgumentException($"Alignment {_options.Alignment} is not a power of two.", nameof(options));
        }

        _bigEndian = _options.ByteOrder == GgufByteOrder.BigEndian;
        if (_options.Alignment != GgufHeaderReader.DefaultAlignment)
        {
            var encoder = new GgufEncoder(_bigEndian);
            encoder.Type(GgufValueType.UInt32);
            encoder.UInt32((uint)_options.Alignment);
            End(GgufKeys.Alignment, encoder);
        }
    }

    /// <summary>Gets the names of the tensors, in the order in which they are written.</summary>
    public IReadOnlyList<string> TensorNames => _tensors.Keys;

    /// <summary>Sets a number or a Boolean value. It replaces an existing value of the key.</summary>
    /// <typeparam name="T">The type of the value, in which it is stored.</typeparam>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The key is empty, too long or <see cref="GgufKeys.Alignment"/>, or the type is not supported.</exception>
    public void Set<T>(string key, T value)
        where T : unmanaged
    {
        var encoder = Begin(key);
        encoder.Type(TypeOf<T>());
        encoder.Numbers<T>([value]);
        End(key, encoder);
    }

    /// <summary>Sets a string. It replaces an existing value of the key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The string.</param>
    /// <exception cref="ArgumentException">The key is empty, too long or <see cref="GgufKeys.Alignment"/>.</exception>
    public void Set(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var encoder = Begin(key);
        encoder.Type(GgufValueType.String);
        encoder.Text(value);
        End(key, encoder);
    }

    /// <summary>Sets a value that was read from a file. It replaces an existing value of the key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">The key is empty, too long or <see cref="GgufKeys.Alignment"/>.</exception>
    public void Set(string key, GgufValue value)
    {
        var encoder = Begin(key);
        encoder.Value(value);
        End(key, encoder);
    }

    /// <summary>Sets an array of numbers or Boolean values. It replaces an existing value of the key.</summary>
    /// <typeparam name="T">The type of the elements, in which they are stored.</typeparam>
    /// <param name="key">The key.</param>
    /// <param name="values">The elements.</param>
    /// <exception cref="ArgumentException">The key is empty, too long or <see cref="GgufKeys.Alignment"/>, or the type is not supported.</exception>
    public void SetArray<T>(string key, params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        var encoder = Begin(key);
        encoder.Array(TypeOf<T>(), values.Length);
        encoder.Numbers(values);
        End(key, encoder);
    }

    /// <summary>Sets an array of strings. It replaces an existing value of the key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="values">The strings.</param>
    /// <exception cref="ArgumentException">The key is empty, too long or <see cref="GgufKeys.Alignment"/>.</exception>
    public void SetArray(string key, IReadOnlyCollection<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var encoder = Begin(key);
        encoder.Array(GgufValueType.String, values.Count);
        foreach (var value in values)
        {
            encoder.Text(value);
        }

        End(key, encoder);
    }

    /// <summary>Removes a key.</summary>
    /// <param name="key">The key.</param>
    /// <returns><see langword="true"/> if the key existed; otherwise, <see langword="false"/>.</returns>
    public bool Remove(string key) => _metadata.Remove(key);

    /// <summary>Adds a tensor whose data is in memory.</summary>
    /// <param name="name">The name, of at most 63 bytes of UTF-8, which no other tensor has.</param>
    /// <param name="type">The data type of the elements.</param>
    /// <param name="dimensions">The number of elements in each of up to 4 dimensions, with the row first.</param>
    /// <param name="data">The data. Its length must be the size of the tensor.</param>
    /// <exception cref="ArgumentException">The name or the dimensions are not valid in the format, or the data has the wrong length.</exception>
    public void AddTensor(string name, GgmlType type, ReadOnlySpan<long> dimensions, ReadOnlyMemory<byte> data)
    {
        var bytes = AddTensor(name, type, dimensions, (offset, destination) =>
            data.Span.Slice((int)offset, destination.Length).CopyTo(destination));
        if (bytes != data.Length)
        {
            _tensors.Remove(name);
            throw new ArgumentException($"Tensor '{name}' takes {bytes} bytes, but the data has {data.Length}.", nameof(data));
        }
    }

    /// <summary>Adds a tensor whose data is produced while the file is written.</summary>
    /// <param name="name">The name, of at most 63 bytes of UTF-8, which no other tensor has.</param>
    /// <param name="type">The data type of the elements.</param>
    /// <param name="dimensions">The number of elements in each of up to 4 dimensions, with the row first.</param>
    /// <param name="source">The delegate that produces the data.</param>
    /// <returns>The size of the data, in bytes.</returns>
    /// <exception cref="ArgumentException">The name or the dimensions are not valid in the format.</exception>
    public long AddTensor(string name, GgmlType type, ReadOnlySpan<long> dimensions, GgufTensorSource source)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(source);
        if (Encoding.UTF8.GetByteCount(name) > GgufTensorReader.MaxNameBytes || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{name}' is longer than {GgufTensorReader.MaxNameBytes} bytes, or contains a NUL character.", nameof(name));
        }

        if (dimensions.Length > GgufTensorReader.MaxDimensions || dimensions.ContainsAnyExceptInRange(1, long.MaxValue))
        {
            throw new ArgumentException(
                $"Tensor '{name}' has more than {GgufTensorReader.MaxDimensions} dimensions, or one that is not positive.", nameof(dimensions));
        }

        var info = GgmlTypeInfo.Get(type);
        var bytes = info.GetByteCount(dimensions);
        var rowBytes = dimensions.IsEmpty ? bytes : info.GetByteCount(dimensions[0]);
        return _tensors.TryAdd(name, new PendingTensor(type, dimensions.ToArray(), bytes, rowBytes, source))
            ? bytes
            : throw new ArgumentException($"A tensor '{name}' has already been added.", nameof(name));
    }

    /// <summary>Calculates the size of the file, without using the tensors' sources.</summary>
    /// <returns>The size, in bytes.</returns>
    public long GetByteCount()
    {
        long bytes = EncodeHeader(_metadata, 0, _tensors.Count).Written.Length;
        return _tensors.Count == 0 ? bytes : bytes + Padding(bytes) + _tensors.Values.Sum(tensor => tensor.ByteCount + Padding(tensor.ByteCount));
    }

    /// <summary>
    /// Writes the file. An existing file is replaced when the new one is complete. If writing fails, it keeps its content. Blocks until the
    /// file is written; see <see cref="WriteAsync(string, CancellationToken)"/>.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <exception cref="IOException">The file could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its directory is not writable.</exception>
    public void Write(string path) => Write(path, CancellationToken.None);

    /// <summary>
    /// Writes the file without blocking the caller. An existing file is replaced when the new one is complete. If writing fails or is
    /// canceled, it keeps its content.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="cancellationToken">A token that cancels the writing.</param>
    /// <returns>A task that completes when nothing is written any more. The writer must not be changed until then.</returns>
    /// <inheritdoc cref="Write(string)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task WriteAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return BackgroundCall.RunToEndAsync(() => Write(path, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Writes the file to a stream, which remains open. Blocks until the file is written; see
    /// <see cref="WriteAsync(Stream, CancellationToken)"/>.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <exception cref="IOException">The stream could not be written.</exception>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        WritePart(stream, _metadata, 0, _tensors.Count, CancellationToken.None);
    }

    /// <summary>Writes the file to a stream, which remains open, without blocking the caller.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="cancellationToken">A token that cancels the writing. The stream then has a part of the file.</param>
    /// <returns>A task that completes when nothing is written any more. The writer must not be changed until then.</returns>
    /// <inheritdoc cref="Write(Stream)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task WriteAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return BackgroundCall.RunToEndAsync(() => WritePart(stream, _metadata, 0, _tensors.Count, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Writes the model as several files, <c>PREFIX-00001-of-00003.gguf</c> and so on. The first file contains the metadata; the tensors are
    /// divided among all files. Blocks until the files are written; see <see cref="WriteSplitAsync"/>.
    /// </summary>
    /// <param name="prefix">The part of the path before the numbers.</param>
    /// <param name="tensorsPerPart">The number of tensors in each file except the last, at least 1.</param>
    /// <returns>The paths of the files, in order.</returns>
    /// <remarks>Existing files are replaced when all parts are complete. If writing fails, they keep their content.</remarks>
    /// <exception cref="InvalidOperationException">There are more files than the format supports.</exception>
    /// <exception cref="IOException">A file could not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">A file or the directory is not writable.</exception>
    public IReadOnlyList<string> WriteSplit(string prefix, int tensorsPerPart) => WriteSplit(prefix, tensorsPerPart, CancellationToken.None);

    /// <summary>
    /// Writes the model as several files, <c>PREFIX-00001-of-00003.gguf</c> and so on, without blocking the caller. The first file contains
    /// the metadata; the tensors are divided among all files.
    /// </summary>
    /// <param name="prefix">The part of the path before the numbers.</param>
    /// <param name="tensorsPerPart">The number of tensors in each file except the last, at least 1.</param>
    /// <param name="cancellationToken">A token that cancels the writing.</param>
    /// <returns>The paths of the files, in order. The writer must not be changed until the task completes.</returns>
    /// <remarks>Existing files are replaced when all parts are complete. If writing fails or is canceled, they keep their content.</remarks>
    /// <inheritdoc cref="WriteSplit(string, int)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<IReadOnlyList<string>> WriteSplitAsync(string prefix, int tensorsPerPart, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunToEndAsync<IReadOnlyList<string>>(() => WriteSplit(prefix, tensorsPerPart, cancellationToken), cancellationToken);

    private void Write(string path, CancellationToken cancellationToken)
    {
        using AtomicFile file = AtomicFile.Create(path);
        WritePart(file.Stream, _metadata, 0, _tensors.Count, cancellationToken);
        file.Commit();
    }

    private string[] WriteSplit(string prefix, int tensorsPerPart, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(prefix);
        ArgumentOutOfRangeException.ThrowIfLessThan(tensorsPerPart, 1);
        var count = Math.Max(1, (_tensors.Count + tensorsPerPart - 1) / tensorsPerPart);
        if (count > ushort.MaxValue)
        {
            throw new InvalidOperationException($"{count} parts are more than the {ushort.MaxValue} that the format supports.");
        }

        string[] paths = [.. Enumerable.Range(0, count).Select(index => GgufSplit.GetPath(prefix, index, count))];
        var files = new List<AtomicFile>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                files.Add(AtomicFile.Create(paths[i]));
                var first = i * tensorsPerPart;
                WritePart(files[i].Stream, PartMetadata(i, count), first, Math.Min(tensorsPerPart, _tensors.Count - first), cancellationToken);
                files[i].Complete();
            }

            files.ForEach(file => file.Commit());
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }

        return paths;
    }

    private OrderedDictionary<string, byte[]> PartMetadata(int index, int count)
    {
        var part = new GgufWriter(_options);
        if (index == 0)
        {
            foreach (var (key, value) in _metadata)
            {
                part._metadata[key] = value;
            }
        }

        part.Set(GgufKeys.SplitIndex, (ushort)index);
        part.Set(GgufKeys.SplitCount, (ushort)count);
        part.Set(GgufKeys.SplitTensorCount, _tensors.Count);
        return part._metadata;
    }

    private void WritePart(Stream stream, OrderedDictionary<string, byte[]> metadata, int first, int count, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var header = EncodeHeader(metadata, first, count).Written;
        stream.Write(header);
        if (count > 0)
        {
            stream.Write(new byte[Padding(header.Length)]);
        }

        for (var i = first; i < first + count; i++)
        {
            WriteData(stream, _tensors.GetAt(i).Value, cancellationToken);
        }
    }

    private GgufEncoder EncodeHeader(OrderedDictionary<string, byte[]> metadata, int first, int count)
    {
        var encoder = new GgufEncoder(_bigEndian);
        encoder.Bytes("GGUF"u8);
        encoder.UInt32((uint)_options.Version);
        encoder.UInt64((ulong)count);
        encoder.UInt64((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            encoder.Text(key);
            encoder.Bytes(value);
        }

        long offset = 0;
        for (var i = first; i < first + count; i++)
        {
            var (name, tensor) = _tensors.GetAt(i);
            encoder.Text(name);
            encoder.UInt32((uint)tensor.Dimensions.Length);
            encoder.Numbers<long>(tensor.Dimensions);
            encoder.UInt32((uint)tensor.Type);
            encoder.UInt64((ulong)offset);
            offset += tensor.ByteCount + Padding(tensor.ByteCount);
        }

        return encoder;
    }

    private void WriteData(Stream stream, PendingTensor tensor, CancellationToken cancellationToken)
    {
        var chunk = new byte[Math.Min(tensor.ByteCount, Math.Max(1, ChunkBytes / tensor.RowBytes) * tensor.RowBytes)];
        for (long offset = 0; offset < tensor.ByteCount; offset += chunk.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var piece = chunk.AsSpan(0, (int)Math.Min(chunk.Length, tensor.ByteCount - offset));
            tensor.Source(offset, piece);
            stream.Write(piece);
        }

        stream.Write(new byte[Padding(tensor.ByteCount)]);
    }

    private long Padding(long position) => -position & (_options.Alignment - 1L);

    private GgufEncoder Begin(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (Encoding.UTF8.GetByteCount(key) > GgufHeaderReader.MaxKeyBytes || key.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"The key is longer than {GgufHeaderReader.MaxKeyBytes} bytes, or contains a NUL character.", nameof(key));
        }

        return key == GgufKeys.Alignment
            ? throw new ArgumentException($"'{key}' is set by {nameof(GgufWriterOptions)}.{nameof(GgufWriterOptions.Alignment)}.", nameof(key))
            : new GgufEncoder(_bigEndian);
    }

    private void End(string key, GgufEncoder encoder) => _metadata[key] = encoder.Written.ToArray();

    private static GgufValueType TypeOf<T>() =>
        GgufValue.TypeOf<T>() ?? throw new ArgumentException($"{typeof(T).Name} is not a type that metadata can have.");

    private sealed record PendingTensor(GgmlType Type, long[] Dimensions, long ByteCount, long RowBytes, GgufTensorSource Source);
}
