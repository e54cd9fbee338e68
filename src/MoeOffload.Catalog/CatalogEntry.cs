namespace MoeOffload.Catalog;

/// <summary>A model on this machine.</summary>
/// <param name="Name">
/// The name to ask for, which no other entry has unless the files themselves are named alike: a file's name without its ending,
/// <c>ORG/REPO:QUANT</c>, or Ollama's <c>name:tag</c>.
/// </param>
/// <param name="Path">The GGUF file; of a split model, its first part.</param>
/// <param name="Bytes">The size of all its files.</param>
/// <param name="Source">Where it was found.</param>
public sealed record CatalogEntry(string Name, string Path, long Bytes, ModelSource Source);
