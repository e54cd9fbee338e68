namespace MoeOffload.Server.Catalog;

/// <summary>The models that are known by name.</summary>
public sealed class ModelCatalog
{
    private readonly IReadOnlyList<CatalogEntry> _entries;

    /// <summary>Makes a catalog of given models.</summary>
    /// <param name="entries">The models.</param>
    public ModelCatalog(IReadOnlyList<CatalogEntry> entries) => _entries = entries;

    /// <summary>Lists all models.</summary>
    public IReadOnlyList<CatalogEntry> Discover() => _entries;

    /// <summary>Finds a model by its name; null where there is none.</summary>
    /// <param name="name">The name.</param>
    public CatalogEntry? Find(string name) => _entries.FirstOrDefault(entry => entry.Name == name);
}
