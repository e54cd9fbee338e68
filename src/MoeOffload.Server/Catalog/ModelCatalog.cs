namespace MoeOffload.Server.Catalog;

/// <summary>
/// The models on this machine, by name. Only what a search of the options' places found is ever given: a name is compared, and never becomes
/// a path. Safe to use from several threads.
/// </summary>
public sealed class ModelCatalog
{
    // A name that is unknown may be that of a file that was just added; asking for nonsense must not keep the disk busy.
    private static readonly TimeSpan s_rescanInterval = TimeSpan.FromSeconds(2);

    private readonly ModelCatalogOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private IReadOnlyList<CatalogEntry>? _entries;
    private long _scanned;

    /// <summary>Makes a catalog; nothing is searched until it is asked.</summary>
    /// <param name="options">Where to look; null takes <see cref="ModelCatalogOptions.FromEnvironment"/>.</param>
    /// <param name="time">The clock; null takes the system's.</param>
    public ModelCatalog(ModelCatalogOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? ModelCatalogOptions.FromEnvironment();
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Searches all places anew. Broken links and what cannot be read are passed over.</summary>
    /// <returns>The models, by source and name; a file that is found twice, or a copy of the same name and size, is there once.</returns>
    public IReadOnlyList<CatalogEntry> Discover()
    {
        lock (_gate)
        {
            return Scan();
        }
    }

    /// <summary>
    /// Gives a model by its name, its file's name, Ollama's <c>name:tag</c>, or <c>ORG/REPO[:QUANT]</c>. Capitals count only where they
    /// decide. Searches anew where the name is unknown, at most every two seconds.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ModelNotFoundException">There is none.</exception>
    /// <exception cref="AmbiguousModelException">There are several; the error lists them.</exception>
    public CatalogEntry Find(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        lock (_gate)
        {
            IReadOnlyList<CatalogEntry> entries = _entries ?? Scan();
            if (Match(entries, name) is { } known)
            {
                return known;
            }

            if (_time.GetElapsedTime(_scanned) >= s_rescanInterval)
            {
                entries = Scan();
            }

            return Match(entries, name) ?? throw NotFound(name, entries);
        }
    }

    private static CatalogEntry? Match(IReadOnlyList<CatalogEntry> entries, string name)
    {
        CatalogEntry[] found = [.. entries.Where(entry => entry.Name == name)];
        if (found.Length == 0)
        {
            found = [.. entries.Where(entry => string.Equals(entry.Name, name, StringComparison.OrdinalIgnoreCase))];
        }

        if (found.Length == 0)
        {
            found = [.. entries.Where(entry => entry.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase))];
        }

        return found.Length switch
        {
            0 => null,
            1 => found[0],
            _ => throw new AmbiguousModelException(
                $"'{name}' could be {found.Length} models: {string.Join(", ", found.Select(entry => entry.Name))}. "
                + (found.Select(entry => entry.Name).Distinct().Count() == found.Length ? "Ask for one of these." : "Rename one of the files, or search fewer directories."))
            {
                Candidates = found,
            },
        };
    }

    private static ModelNotFoundException NotFound(string name, IReadOnlyList<CatalogEntry> entries)
    {
        string[] close = [.. entries.Select(entry => entry.Name).Where(known => known.Contains(name, StringComparison.OrdinalIgnoreCase)).Take(5)];
        return new ModelNotFoundException(
            $"There is no model '{name}' here. "
            + (close.Length > 0 ? $"Did you mean {string.Join(", ", close)}?" : $"{entries.Count} models are known; list them, or add a directory."));
    }

    private IReadOnlyList<CatalogEntry> Scan()
    {
        var files = new HashSet<string>(StringComparer.Ordinal);
        CatalogCandidate[] candidates =
        [
            .. FullPaths(_options.Paths).SelectMany(InPath)
                .Concat(FullPaths([_options.HuggingFaceCache]).SelectMany(HuggingFaceCache.Find))
                .Concat(FullPaths(_options.LmStudioDirectories).SelectMany(InLmStudio))
                .Concat(FullPaths(_options.OllamaDirectories).SelectMany(OllamaStore.Find))
                .Where(candidate => files.Add(FileSearch.Target(candidate.Path)))
                .DistinctBy(candidate => (candidate.Names[^1], candidate.Bytes)),
        ];
        _entries = [.. CatalogCandidate.Name(candidates).OrderBy(entry => entry.Source).ThenBy(entry => entry.Name, StringComparer.Ordinal)];
        _scanned = _time.GetTimestamp();
        return _entries;
    }

    private static IEnumerable<string> FullPaths(IEnumerable<string?> paths) =>
        paths.Where(path => !string.IsNullOrWhiteSpace(path)).Select(path => FileSearch.Try(() => Path.GetFullPath(path!))).OfType<string>();

    private static IEnumerable<CatalogCandidate> InPath(string path)
    {
        IEnumerable<FoundModel> models = FileSearch.Model(path) is { } file ? [file] : FileSearch.Models(path);
        string root = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        return models.Select(model => new CatalogCandidate(
            model.Path,
            model.Bytes,
            ModelSource.Directory,
            [model.FileName.Stem, model.RelativeStem, $"{root}/{model.RelativeStem}"],
            model.FileNames));
    }

    private static IEnumerable<CatalogCandidate> InLmStudio(string directory)
    {
        foreach (FoundModel model in FileSearch.Models(directory))
        {
            string[] place = model.RelativeStem.Split('/');
            if (place.Length < 3)
            {
                yield return new CatalogCandidate(
                    model.Path, model.Bytes, ModelSource.LmStudio, [model.FileName.Stem, model.RelativeStem], model.FileNames);
                continue;
            }

            FoundModel inRepository = model with { RelativeStem = string.Join('/', place[2..]) };
            string repository = $"{place[0]}/{place[1]}";
            yield return new CatalogCandidate(
                model.Path,
                model.Bytes,
                ModelSource.LmStudio,
                HuggingFaceCache.Names(repository, inRepository),
                HuggingFaceCache.Aliases(repository, inRepository));
        }
    }
}
