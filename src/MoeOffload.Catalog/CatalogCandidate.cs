namespace MoeOffload.Catalog;

/// <summary>Represents a model that was found and does not have a unique name yet.</summary>
/// <param name="Path">The path of the first file.</param>
/// <param name="Bytes">The total size of its files, in bytes.</param>
/// <param name="Source">The place where it was found.</param>
/// <param name="Names">Names for it, from the shortest to the most specific.</param>
/// <param name="Aliases">Additional names by which it can be found.</param>
internal sealed record CatalogCandidate(string Path, long Bytes, ModelSource Source, string[] Names, string[] Aliases)
{
    /// <summary>Names each candidate with the first of its names that no other candidate has, or with its last one.</summary>
    public static IEnumerable<NamedModel> Name(IReadOnlyCollection<CatalogCandidate> candidates)
    {
        ILookup<string, CatalogCandidate> byName = candidates
            .SelectMany(candidate => candidate.Names.Distinct(StringComparer.Ordinal), (candidate, name) => (candidate, name))
            .ToLookup(pair => pair.name, pair => pair.candidate, StringComparer.OrdinalIgnoreCase);
        foreach (CatalogCandidate candidate in candidates)
        {
            string name = Array.Find(candidate.Names, name => byName[name].Count() == 1) ?? candidate.Names[^1];
            yield return new NamedModel(
                new CatalogEntry(name, candidate.Path, candidate.Bytes, candidate.Source), [.. candidate.Names, .. candidate.Aliases]);
        }
    }
}
