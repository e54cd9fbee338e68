using MoeOffload.Shared;

namespace MoeOffload.Catalog;

/// <summary>
/// Represents the models on this machine, by name. A name is compared with those of the models that a search found, and never becomes a path.
/// Safe to use from several threads: a name that is known is found without waiting for a search.
/// </summary>
public sealed class ModelCatalog
{
    private const int MostSuggestions = 5;

    // An unknown name can refer to a file that was just added, but requests for names that do not exist must not keep the disk busy.
    private static readonly TimeSpan s_rescanInterval = TimeSpan.FromSeconds(2);

    private readonly ModelCatalogOptions _options;
    private readonly TimeProvider _time;

    // Protects the two fields below, and is held only briefly: no search runs under it.
    private readonly Lock _gate = new();
    private Found? _found;
    private Lazy<Found>? _search;

    /// <summary>Initializes a new instance, without searching yet.</summary>
    /// <param name="options">The places to search, or <see langword="null"/> to use <see cref="ModelCatalogOptions.FromEnvironment"/>.</param>
    /// <param name="time">The time provider, or <see langword="null"/> to use the system's.</param>
    public ModelCatalog(ModelCatalogOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? ModelCatalogOptions.FromEnvironment();
        _time = time ?? TimeProvider.System;
    }

    /// <summary>
    /// Searches all places again. Broken links and directories that cannot be read are skipped. Blocks while directories are read; see
    /// <see cref="DiscoverAsync"/>.
    /// </summary>
    /// <returns>
    /// The models, ordered by source and name. A file that is found twice, or a copy with the same name and size, is listed once.
    /// </returns>
    public IReadOnlyList<CatalogEntry> Discover()
    {
        Found found = Search();
        lock (_gate)
        {
            _found = found;
        }

        return found.Entries;
    }

    /// <summary>Searches all places again, without blocking the caller.</summary>
    /// <param name="cancellationToken">A token to cancel the wait. The search itself continues.</param>
    /// <inheritdoc cref="Discover" path="/returns"/>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<IReadOnlyList<CatalogEntry>> DiscoverAsync(CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(Discover, cancellationToken);

    /// <summary>
    /// Lists the models that the last search found, which is at most two seconds old. If there is none, searches, and blocks while directories
    /// are read; see <see cref="ListAsync"/>.
    /// </summary>
    /// <inheritdoc cref="Discover" path="/returns"/>
    public IReadOnlyList<CatalogEntry> List() => Recent().Entries;

    /// <summary>
    /// Lists the models that the last search found, which is at most two seconds old. If there is none, searches without blocking the caller.
    /// </summary>
    /// <param name="cancellationToken">A token to cancel the wait. A search itself continues.</param>
    /// <inheritdoc cref="Discover" path="/returns"/>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<IReadOnlyList<CatalogEntry>> ListAsync(CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(List, cancellationToken);

    /// <summary>
    /// Finds a model by its name, its file's name, Ollama's <c>name:tag</c>, or <c>ORG/REPO[:QUANT]</c>. Case is ignored unless it decides
    /// between two models. If the name is unknown, all places are searched again, at most every two seconds, and the call blocks while
    /// directories are read; see <see cref="FindAsync"/>.
    /// </summary>
    /// <param name="name">The name of the model.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <exception cref="ModelNotFoundException">No model has the name.</exception>
    /// <exception cref="AmbiguousModelException">Several models have the name; the error lists them.</exception>
    public CatalogEntry Find(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Found? known = Volatile.Read(ref _found);
        if (known is not null && Match(known.Models, name) is { } entry)
        {
            return entry;
        }

        Found found = Recent();
        return Match(found.Models, name) ?? throw NotFound(name, found.Models);
    }

    /// <summary>
    /// Finds a model as <see cref="Find"/> does. If the name is unknown, all places are searched again without blocking the caller.
    /// </summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="cancellationToken">A token to cancel the wait. A search itself continues.</param>
    /// <inheritdoc cref="Find" path="/exception"/>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<CatalogEntry> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return BackgroundCall.ComputeAsync(() => Find(name), cancellationToken);
    }

    /// <summary>
    /// Finds a model by the path of its file, or by its name as <see cref="Find"/> does. Blocks while directories are read; see
    /// <see cref="ResolveAsync"/>.
    /// </summary>
    /// <param name="pathOrName">
    /// The name of a model, or the path of a GGUF file, which can be outside of the places that the catalog searches. Do not pass what the
    /// clients of a server send, because that would let them open any file.
    /// </param>
    /// <exception cref="ArgumentException"><paramref name="pathOrName"/> is empty.</exception>
    /// <exception cref="ModelNotFoundException">There is no such file, and no model has the name.</exception>
    /// <exception cref="AmbiguousModelException">Several models have the name; the error lists them.</exception>
    public CatalogEntry Resolve(string pathOrName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(pathOrName);
        bool isPath = pathOrName.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) || pathOrName.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal);
        if (!isPath || !File.Exists(pathOrName))
        {
            return Find(pathOrName);
        }

        string path = Path.GetFullPath(pathOrName);
        return new ModelCatalog(new ModelCatalogOptions { Paths = [path] }).Discover() is [var entry, ..]
            ? entry
            : new CatalogEntry(Path.GetFileName(path), path, new FileInfo(path).Length, ModelSource.Directory);
    }

    /// <summary>Finds a model as <see cref="Resolve"/> does, without blocking the caller.</summary>
    /// <param name="pathOrName">The name of a model, or the path of a GGUF file.</param>
    /// <param name="cancellationToken">A token to cancel the wait. A search itself continues.</param>
    /// <inheritdoc cref="Resolve" path="/exception"/>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<CatalogEntry> ResolveAsync(string pathOrName, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(pathOrName);
        return BackgroundCall.ComputeAsync(() => Resolve(pathOrName), cancellationToken);
    }

    /// <summary>Gets what the last search found if that is recent; otherwise searches, once for all callers that ask meanwhile.</summary>
    private Found Recent()
    {
        Lazy<Found> search;
        lock (_gate)
        {
            if (_found is { } found && _time.GetElapsedTime(found.At) < s_rescanInterval)
            {
                return found;
            }

            search = _search ??= new Lazy<Found>(Search);
        }

        try
        {
            Found found = search.Value;
            lock (_gate)
            {
                _found = _search == search ? found : _found;
            }

            return found;
        }
        finally
        {
            lock (_gate)
            {
                _search = _search == search ? null : _search;
            }
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
        string[] names = [.. models.Select(model => model.Entry.Name)];
        string[] near = [.. names.Where(known => known.Contains(name, StringComparison.OrdinalIgnoreCase)).Take(MostSuggestions)];
        if (near.Length == 0)
        {
            near = [.. NearNames.Of(name, names).Where(known => known.Distance <= name.Length / 3).Take(MostSuggestions).Select(known => known.Name)];
        }

        string remedy = near.Length > 0 ? $"Did you mean {string.Join(", ", near)}?"
            : names.Length == 0 ? "No models were found; add a directory that has some."
            : $"{(names.Length == 1 ? "One other model was found" : $"{names.Length} other models were found")}; list the models, or add a directory.";
        return new ModelNotFoundException($"There is no model '{name}'. {remedy}");
    }

    private Found Search()
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
        NamedModel[] models =
            [.. CatalogCandidate.Name(candidates).OrderBy(model => model.Entry.Source).ThenBy(model => model.Entry.Name, StringComparer.Ordinal)];
        return new Found(models, [.. models.Select(model => model.Entry)], _time.GetTimestamp());
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

    /// <summary>Represents the result of a search.</summary>
    /// <param name="Models">The models with all their names.</param>
    /// <param name="Entries">The models.</param>
    /// <param name="At">The time at which the search ended.</param>
    private sealed record Found(NamedModel[] Models, IReadOnlyList<CatalogEntry> Entries, long At);
}
