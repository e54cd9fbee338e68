namespace MoeOffload.Catalog;

/// <summary>Represents an entry of a catalog with all its names.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Aliases">Additional names, each of which finds the entry if no other entry has it.</param>
internal sealed record NamedModel(CatalogEntry Entry, string[] Aliases);
