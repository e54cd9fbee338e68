namespace MoeOffload.Catalog;

/// <summary>
/// Represents the cache of Hugging Face's tools: <c>models--ORG--REPO</c> with <c>refs</c> (a file for each branch, with a commit in it), <c>blobs</c>
/// (files under the name of their hash), and <c>snapshots/COMMIT</c> (the repository's files as links to blobs).
/// </summary>
internal static class HuggingFaceCache
{
    private const string Prefix = "models--";

    /// <summary>Gets the directory of a repository.</summary>
    public static string RepositoryDirectory(string cache, string repository) =>
        Path.Combine(cache, Prefix + repository.Replace("/", "--", StringComparison.Ordinal));

    public static IEnumerable<CatalogCandidate> Find(string cache)
    {
        foreach (string directory in FileSearch.Directories(cache))
        {
            string folder = Path.GetFileName(directory);
            if (folder.StartsWith(Prefix, StringComparison.Ordinal))
            {
                string repository = folder[Prefix.Length..].Replace("--", "/", StringComparison.Ordinal);
                foreach (CatalogCandidate candidate in FindIn(directory, repository))
                {
                    yield return candidate;
                }
            }
        }
    }

    /// <summary>Gets the names of a file of a repository.</summary>
    public static string[] Names(string repository, FoundModel model) => model.Quantization is { } quantization
        ? [$"{repository}:{quantization}", $"{repository}/{model.RelativeStem}"]
        : [$"{repository}/{model.RelativeStem}"];

    /// <summary>Gets additional names of a file of a repository.</summary>
    public static string[] Aliases(string repository, FoundModel model) =>
        [repository, .. model.FileNames, .. model.FileNames.Select(file => $"{repository}:{file}")];

    private static IEnumerable<CatalogCandidate> FindIn(string directory, string repository)
    {
        string? main = FileSearch.Try(() => File.ReadAllText(Path.Combine(directory, "refs", "main")).Trim());
        string[] snapshots = FileSearch.Directories(Path.Combine(directory, "snapshots"));
        IEnumerable<string> newestFirst = snapshots
            .OrderByDescending(path => Path.GetFileName(path) == main)
            .ThenByDescending(path => FileSearch.Try(() => Directory.GetLastWriteTimeUtc(path)));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (FoundModel model in newestFirst.SelectMany(FileSearch.Models))
        {
            if (seen.Add(model.RelativeStem))
            {
                yield return new CatalogCandidate(
                    model.Path, model.Bytes, ModelSource.HuggingFace, Names(repository, model), Aliases(repository, model));
            }
        }
    }
}
