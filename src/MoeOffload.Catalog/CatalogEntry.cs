namespace MoeOffload.Catalog;

/// <summary>Represents a model on this machine.</summary>
/// <param name="Name">
/// The name of the model: a file name without its extension,
/// <c>ORG/REPO:QUANT</c>, or Ollama's <c>name:tag</c>. It is unique unless the files themselves have the same name.
/// </param>
/// <param name="Path">The path of the GGUF file, or of the first file of a split model.</param>
/// <param name="Bytes">The total size of its files, in bytes.</param>
/// <param name="Source">The place where it was found.</param>
public sealed record CatalogEntry(string Name, string Path, long Bytes, ModelSource Source);
