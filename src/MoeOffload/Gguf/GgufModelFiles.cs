using MoeOffload.Shared;

namespace MoeOffload.Gguf;

/// <summary>Represents the files of a model: a single GGUF file, or all parts of a split model, which have been checked to belong together.</summary>
public sealed class GgufModelFiles
{
    private GgufModelFiles(GgufFile[] parts)
    {
        Parts = parts;
        Tensors = [.. parts.SelectMany(part => part.Tensors)];
    }

    /// <summary>Gets the files, in order. The first one contains the metadata.</summary>
    public IReadOnlyList<GgufFile> Parts { get; }

    /// <summary>Gets the path of the first file.</summary>
    public string Path => Parts[0].Path!;

    /// <summary>Gets the model's metadata.</summary>
    public GgufMetadata Metadata => Parts[0].Metadata;

    /// <summary>Gets the tensors of all files. <see cref="GgufTensorInfo.Part"/> is the number of a tensor's file.</summary>
    public IReadOnlyList<GgufTensorInfo> Tensors { get; }

    /// <summary>Gets the length of all files together, in bytes.</summary>
    public long Length => Parts.Sum(part => part.Length);

    /// <summary>Reads and checks the headers of a model's files. Blocks while the files are read; see <see cref="OpenAsync"/>.</summary>
    /// <param name="path">The path of the model's file, or of any part of a split model.</param>
    /// <returns>The model's files.</returns>
    /// <exception cref="FileNotFoundException">The file or a part of the model does not exist.</exception>
    /// <exception cref="DirectoryNotFoundException">The directory does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to a file is denied.</exception>
    /// <exception cref="IOException">The path is a directory, or a file could not be read.</exception>
    /// <exception cref="GgufFormatException">A file is damaged, or the parts do not belong together.</exception>
    public static GgufModelFiles Open(string path)
    {
        var opened = GgufFile.Open(path);
        if (opened.Split is not { } split)
        {
            return new GgufModelFiles([opened]);
        }

        var prefix = PrefixOf(path, split);
        var parts = new GgufFile[split.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = i == split.Index ? opened : OpenPart(prefix, i, split);
        }

        CheckTensors(parts, split);
        return new GgufModelFiles(parts);
    }

    /// <summary>Reads and checks the headers of a model's files without blocking the caller.</summary>
    /// <param name="path">The path of the model's file, or of any part of a split model.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The model's files.</returns>
    /// <inheritdoc cref="Open" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<GgufModelFiles> OpenAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return BackgroundCall.RunAsync(() => Open(path), cancellationToken);
    }

    /// <summary>Reads and checks the header of the file that has the model's metadata, without the other parts of a split model.</summary>
    /// <inheritdoc cref="Open"/>
    internal static GgufModelFiles OpenFirst(string path)
    {
        var opened = GgufFile.Open(path);
        return new GgufModelFiles([opened.Split is { Index: > 0 } split ? OpenPart(PrefixOf(path, split), 0, split) : opened]);
    }

    private static string PrefixOf(string path, GgufSplit split)
    {
        if (GgufSplit.TryGetPrefix(path, split.Index, split.Count, out var prefix))
        {
            return prefix;
        }

        var name = System.IO.Path.GetFileName(GgufSplit.GetPath("NAME", split.Index, split.Count));
        throw new GgufFormatException(
            $"'{path}' is part {split.Index + 1} of {split.Count} of a split model, whose parts are found by their names: rename it to '{name}', and the other parts accordingly.");
    }

    private static GgufFile OpenPart(string prefix, int index, GgufSplit split)
    {
        var path = GgufSplit.GetPath(prefix, index, split.Count);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"Part {index + 1} of {split.Count} of the model is missing: '{path}'. Put all parts into one folder.", path);
        }

        var part = GgufFile.Open(path);
        return part.Split is { } own && own.Index == index && own.Count == split.Count && own.TensorCount == split.TensorCount
            ? part
            : throw new GgufFormatException(
                $"'{path}' does not say that it is part {index + 1} of {split.Count}, with {split.TensorCount} tensors in all: it belongs to another model, or has been renamed. Download it again.");
    }

    private static void CheckTensors(GgufFile[] parts, GgufSplit split)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            if (part.ByteOrder != parts[0].ByteOrder)
            {
                throw new GgufFormatException($"'{part.Path}' does not have the byte order of the first part. Download it again.");
            }

            foreach (var tensor in part.Tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw new GgufFormatException($"'{part.Path}': tensor '{tensor.Name}' is also in another part. Download the model again.");
                }
            }
        }

        if (names.Count != split.TensorCount)
        {
            throw new GgufFormatException(
                $"'{parts[0].Path}': its {split.Count} parts hold {names.Count} tensors, and should hold {split.TensorCount}. Download the model again.");
        }
    }
}
