namespace MoeOffload.Gguf;

/// <summary>The file or files of one model: a single GGUF file, or all parts of a split one, checked to belong together.</summary>
public sealed class GgufModelFiles
{
    private GgufModelFiles(GgufFile[] parts)
    {
        Parts = parts;
        Tensors = [.. parts.SelectMany(part => part.Tensors)];
    }

    /// <summary>The files, in order. The first holds the metadata.</summary>
    public IReadOnlyList<GgufFile> Parts { get; }

    /// <summary>The first file's path, which is the one to give to llama.cpp.</summary>
    public string Path => Parts[0].Path!;

    /// <summary>The model's metadata.</summary>
    public GgufMetadata Metadata => Parts[0].Metadata;

    /// <summary>The tensors of all files; <see cref="GgufTensorInfo.Part"/> says which file holds one.</summary>
    public IReadOnlyList<GgufTensorInfo> Tensors { get; }

    /// <summary>Bytes of all files together.</summary>
    public long Length => Parts.Sum(part => part.Length);

    /// <summary>Opens a model by its file, or by any file of a split model.</summary>
    /// <exception cref="FileNotFoundException">There is no such file, or a part of the model is missing.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="IOException">The path is a folder, or reading failed.</exception>
    /// <exception cref="GgufFormatException">A file is damaged, or the parts do not belong together.</exception>
    public static GgufModelFiles Open(string path)
    {
        var opened = GgufFile.Open(path);
        if (opened.Split is not { } split)
        {
            return new GgufModelFiles([opened]);
        }

        if (!GgufSplit.TryGetPrefix(path, split.Index, split.Count, out var prefix))
        {
            var name = System.IO.Path.GetFileName(GgufSplit.GetPath("NAME", split.Index, split.Count));
            throw new GgufFormatException(
                $"'{path}' is part {split.Index + 1} of {split.Count} of a split model, whose parts find each other by name: rename it to '{name}', and the others alike.");
        }

        var parts = new GgufFile[split.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = i == split.Index ? opened : OpenPart(prefix, i, split);
        }

        CheckTensors(parts, split);
        return new GgufModelFiles(parts);
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
                $"'{path}' does not say that it is part {index + 1} of {split.Count}, with {split.TensorCount} tensors in all: it belongs to another model, or was renamed. Download it again.");
    }

    private static void CheckTensors(GgufFile[] parts, GgufSplit split)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            if (part.ByteOrder != parts[0].ByteOrder)
            {
                throw new GgufFormatException($"'{part.Path}' has another byte order than the first part. Download it again.");
            }

            foreach (var tensor in part.Tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw new GgufFormatException($"'{part.Path}': tensor '{tensor.Name}' is in another part as well. Download the model again.");
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
