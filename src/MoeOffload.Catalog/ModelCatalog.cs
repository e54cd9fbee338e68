namespace MoeOffload.Catalog;

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
    private NamedModel[]? _models;
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
            return [.. Scan().Select(model => model.Entry)];
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
            NamedModel[] models = _models ?? Scan();
            if (Match(models, name) is { } known)
            {
                return known;
            }

            if (_time.GetElapsedTime(_scanned) >= s_rescanInterval)
            {
                models = Scan();
            }

            return Match(models, name) ?? throw NotFound(name, models);
        }
    }

    private static CatalogEntry? Match(NamedModel[] models, string name)
    {
        CatalogEntry[] found = Where(models, model => model.Entry.Name == name);
        if (found.Length == 0)
        {
            found = Where(models, model => string.Equals(model.Entry.Name, name, StringComparison.OrdinalIgnoreCase));
        }

        if (found.Length == 0)
        {
            found = Where(models, model => model.Aliases.Contains(name, StringComparer.OrdinalIgnoreCase));
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

    private static CatalogEntry[] Where(NamedModel[] models, Func<NamedModel, bool> matches) => [.. models.Where(matches).Select(model => model.Entry)];

    private static ModelNotFoundException NotFound(string name, NamedModel[] models)
    {
        string[] close = [.. models.Select(model => model.Entry.Name).Where(known => known.Contains(name, StringComparison.OrdinalIgnoreCase)).Take(5)];
        return new ModelNotFoundException(
            $"There is no model '{name}' here. "
            + (close.Length > 0 ? $"Did you mean {string.Join(", ", close)}?" : $"{models.Length} models are known; list them, or add a directory."));
    }

    private NamedModel[] Scan()
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
        _models = [.. CatalogCandidate.Name(candidates).OrderBy(model => model.Entry.Source).ThenBy(model => model.Entry.Name, StringComparer.Ordinal)];
        _scanned = _time.GetTimestamp();
        return _models;
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
