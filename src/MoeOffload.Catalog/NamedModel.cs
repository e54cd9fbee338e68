namespace MoeOffload.Catalog;

/// <summary>An entry of a catalog with all names that it goes by.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Aliases">Names that lead to it where they lead to no other entry.</param>
internal sealed record NamedModel(CatalogEntry Entry, string[] Aliases);
