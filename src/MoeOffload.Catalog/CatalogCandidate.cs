namespace MoeOffload.Catalog;

/// <summary>A model that was found, before it has a name that tells it from the others.</summary>
/// <param name="Path">The first file.</param>
/// <param name="Bytes">The size of all its files.</param>
/// <param name="Source">Where it was found.</param>
/// <param name="Names">Names for it, the shortest first, each one telling it from more others.</param>
/// <param name="Aliases">More names that lead to it.</param>
internal sealed record CatalogCandidate(string Path, long Bytes, ModelSource Source, string[] Names, string[] Aliases)
{
    /// <summary>Gives each candidate the first of its names that is no other's, or its last one.</summary>
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
