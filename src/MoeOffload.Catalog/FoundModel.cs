namespace MoeOffload.Catalog;

/// <summary>Represents the file or files of a model in a directory that was searched.</summary>
/// <param name="Path">The path of the first file.</param>
/// <param name="RelativeStem">The path relative to the directory, with <c>/</c>, without the extension and the part number.</param>
/// <param name="FileName">The parsed file name.</param>
/// <param name="Bytes">The total size of its files, in bytes.</param>
internal sealed record FoundModel(string Path, string RelativeStem, GgufFileName FileName, long Bytes)
{
    /// <summary>Gets the quantization that the file name or the name of its directory ends with, or <see langword="null"/> if there is none.</summary>
    public string? Quantization => FileName.Quantization
        ?? (System.IO.Path.GetDirectoryName(RelativeStem) is { Length: > 0 } directory ? GgufFileName.QuantizationOf(directory) : null);

    /// <summary>Gets the forms of the file name: with and without the extension and the part number.</summary>
    public string[] FileNames => [FileName.Stem, System.IO.Path.GetFileName(Path), FileName.Stem + ".gguf", System.IO.Path.GetFileNameWithoutExtension(Path)];
}
