namespace MoeOffload.Server.Catalog;

/// <summary>A model that can be served.</summary>
/// <param name="Name">The name that requests say.</param>
/// <param name="Path">Its GGUF file; of a split model, the first part.</param>
/// <param name="Bytes">The size of its files in bytes.</param>
/// <param name="Source">Where it was found.</param>
public sealed record CatalogEntry(string Name, string Path, long Bytes, string Source);
