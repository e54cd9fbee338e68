namespace MoeOffload.Catalog;

/// <summary>A model's file or files in a directory that was searched.</summary>
/// <param name="Path">The first file.</param>
/// <param name="RelativeStem">Its place below the directory, with <c>/</c>, without ending and part number.</param>
/// <param name="FileName">What its name says.</param>
/// <param name="Bytes">The size of all its files.</param>
internal sealed record FoundModel(string Path, string RelativeStem, GgufFileName FileName, long Bytes)
{
    /// <summary>The quantization that its name, or the directory it lies in, ends with.</summary>
    public string? Quantization => FileName.Quantization
        ?? (System.IO.Path.GetDirectoryName(RelativeStem) is { Length: > 0 } directory ? GgufFileName.QuantizationOf(directory) : null);

    /// <summary>The file's name as others write it: with its ending, and with its part number.</summary>
    public string[] FileNames => [FileName.Stem, System.IO.Path.GetFileName(Path), FileName.Stem + ".gguf", System.IO.Path.GetFileNameWithoutExtension(Path)];
}
