using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Server.Models;
using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>
/// Manages the models of a server: loads a model when it is first requested, shares it among all requests, and unloads it when it has been
/// idle for some time or its memory is needed. Several models can be loaded at once. This type is thread-safe.
/// </summary>
public sealed class ModelHost : IAsyncDisposable
{
    private const int LongestName = 512;

    private readonly ModelCatalog _catalog;
    private readonly ModelFactory _factory;
    private readonly ModelTable _table;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();

    // The names that clients have given to models.
    private readonly ConcurrentDictionary<string, string> _aliases = new(StringComparer.Ordinal);

    // Models are loaded one at a time, because the memory for the next one depends on what this one uses.
    private readonly SemaphoreSlim _loading = new(1);
    private readonly SemaphoreSlim _lengthening = new(1);
    private readonly Task _unloading;

    /// <summary>Initializes a new instance, without loading a model yet.</summary>
    /// <param name="catalog">The catalog of the models.</param>
    /// <param name="options">The options for loading and unloading models.</param>
    /// <param name="loggers">The factory that creates the loggers, including the one for llama.cpp unless <see cref="ModelOptions.LoggerFactory"/> is set.</param>
    /// <param name="time">The time provider.</param>
    public ModelHost(ModelCatalog catalog, ModelHostOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        _catalog = catalog;
        Options = options;
        _factory = new ModelFactory(options, loggers);
        _logger = loggers.CreateLogger<ModelHost>();
        _time = time;
        _table = new ModelTable(time, FreeAsync, entry => _catalog.List().Contains(entry));
        _unloading = options.IdleUnload is { } idle ? UnloadIdleAsync(idle) : Task.CompletedTask;
    }

    /// <summary>Gets the catalog of the models.</summary>
    public ModelCatalog Catalog => _catalog;

    /// <summary>Gets how models are loaded.</summary>
    internal ModelHostOptions Options { get; }

    /// <summary>Acquires a model, loading it if necessary.</summary>
    /// <param name="name">The name of the model in the catalog.</param>
    /// <param name="cancellationToken">A token to cancel the wait. The model continues to load for other requests.</param>
    /// <returns>A lease that keeps the model loaded until it is disposed.</returns>
    /// <exception cref="ModelNotFoundException">The catalog does not have the model.</exception>
    /// <exception cref="AmbiguousModelException">Several models match the name.</exception>
    /// <exception cref="ModelLoadException">The model cannot be loaded.</exception>
    /// <exception cref="ModelMemoryException">The model does not fit into the memory limit.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled, or the host was disposed during the wait.</exception>
    public async Task<ModelLease> AcquireAsync(string name, CancellationToken cancellationToken = default) =>
        await AcquireAsync(await FindAsync(name, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Unloads a model that no request uses. Does not wait for other models that are being loaded.</summary>
    /// <param name="name">The name of the model in the catalog, or the name by which it was loaded.</param>
    /// <param name="cancellationToken">A token to cancel the wait. The model is unloaded nevertheless.</param>
    /// <returns><see langword="true"/> if the model was unloaded; <see langword="false"/> if it was not loaded.</returns>
    /// <exception cref="ModelNotFoundException">There is no model with this name.</exception>
    /// <exception cref="AmbiguousModelException">Several models match the name.</exception>
    /// <exception cref="ModelInUseException">Requests use the model, or it is being loaded.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public async Task<bool> UnloadAsync(string name, CancellationToken cancellationToken = default) =>
        (await UnloadNamedAsync(name, cancellationToken).ConfigureAwait(false)).WasLoaded;

    /// <summary>
    /// Gets the current status of a model. If the catalog has to search for it, blocks while directories are read; await
    /// <see cref="ModelCatalog.FindAsync"/> of <see cref="Catalog"/> before, to avoid that.
    /// </summary>
    /// <param name="name">The name of the model in the catalog.</param>
    /// <exception cref="ModelNotFoundException">There is no model with this name.</exception>
    /// <exception cref="AmbiguousModelException">Several models match the name.</exception>
    public ModelStatus GetStatus(string name) => GetStatus(Find(name));

    /// <summary>
    /// Gets the current status of each model in the catalog. The list of models is at most two seconds old. If there is none, blocks while
    /// directories are read; await <see cref="ModelCatalog.ListAsync"/> of <see cref="Catalog"/> before, to avoid that.
    /// </summary>
    public IReadOnlyList<ModelStatus> List() => [.. _catalog.List().Select(GetStatus)];

    /// <summary>Cancels loading and unloads all models. Requests that are still running fail with an error.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _unloading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _table.CloseAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="AcquireAsync(string, CancellationToken)"/>
    internal async Task<ModelLease> AcquireAsync(CatalogEntry entry, CancellationToken cancellationToken) =>
        (await AcquireAsync(entry, contextLength: null, cancellationToken).ConfigureAwait(false)).Lease;

    /// <summary>Acquires a model whose context has a certain length, if memory and options allow it.</summary>
    /// <param name="entry">The model.</param>
    /// <param name="contextLength">The number of tokens that a request can have; null for the length that the options specify.</param>
    /// <param name="cancellationToken">A token to cancel the wait. The model continues to load for other requests.</param>
    /// <returns>The lease, and whether the context has the length.</returns>
    internal async Task<(ModelLease Lease, bool IsLongEnough)> AcquireAsync(CatalogEntry entry, int? contextLength, CancellationToken cancellationToken)
    {
        ModelSlot slot = _table.Enter(entry, added => Task.Run(() => LoadAsync(added)));
        try
        {
            ServedModel loaded = await slot.Loading.WaitAsync(cancellationToken).ConfigureAwait(false);
            bool isLongEnough = contextLength is not { } wanted || loaded.Session?.SequenceLength >= wanted
                || await LengthenAsync(slot, loaded, wanted).WaitAsync(cancellationToken).ConfigureAwait(false);
            return (new ModelLease(slot.Entry.Name, loaded, () => _table.Leave(slot)), isLongEnough);
        }
        catch
        {
            _table.Leave(slot);
            throw;
        }
    }

    /// <inheritdoc cref="UnloadAsync"/>
    /// <returns>The model's name in the catalog, and whether it was loaded.</returns>
    internal async Task<(string Name, bool WasLoaded)> UnloadNamedAsync(string name, CancellationToken cancellationToken)
    {
        CatalogEntry? entry = null;
        try
        {
            entry = await FindAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelNotFoundException) when (_table.Has(name))
        {
            // The file no longer exists, but its model can still be in memory.
        }

        string known = entry?.Name ?? name;
        if (_table.Unload(known, entry?.Path) is not { } freeing)
        {
            return (known, false);
        }

        await freeing.WaitAsync(cancellationToken).ConfigureAwait(false);
        return (known, true);
    }

    /// <summary>Gets the current status of a model.</summary>
    internal ModelStatus GetStatus(CatalogEntry entry) => _table.GetStatus(entry);

    /// <summary>Gets the models in memory, for measuring and listing.</summary>
    internal IReadOnlyList<(ModelStatus Status, ServedModel Model)> GetLoaded() => _table.GetLoaded();

    /// <summary>Gets a model if it is in memory, or <see langword="null"/>.</summary>
    internal ServedModel? FindLoaded(CatalogEntry entry) => GetLoaded().FirstOrDefault(item => item.Status.Entry.Path == entry.Path).Model;

    /// <summary>
    /// Determines whether a model reads images. If it is not in memory, its file is read if there is a projector that could belong to it. A model
    /// that cannot be loaded reads none.
    /// </summary>
    internal bool ReadsImages(CatalogEntry entry)
    {
        if (FindLoaded(entry) is { } loaded)
        {
            return loaded.Model.Info.SupportsVision;
        }

        try
        {
            return (Options.Load.ProjectorPath is not null || HasProjectorBeside(entry.Path)) && MoeModel.FindProjector(entry.Path, Options.Load) is not null;
        }
        catch (Exception error) when (error is MoeOffloadException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool HasProjectorBeside(string path) => Directory.EnumerateFiles(
        Path.GetDirectoryName(Path.GetFullPath(path))!, "*mmproj*.gguf", new EnumerationOptions { MatchCasing = MatchCasing.CaseInsensitive }).Any();

    /// <summary>
    /// Gets the number of tokens that a request to a model can have, or <see langword="null"/> if it is determined when the model is loaded.
    /// </summary>
    internal int? GetServedLength(CatalogEntry entry)
    {
        return FindLoaded(entry)?.Session?.SequenceLength ?? (Options.Context switch
        {
            { ContextLength: 0 } => null,
            { KvCache.Unified: true, ContextLength: var length } => length,
            { ContextLength: var length, SequenceCount: var count } => length / count,
        });
    }

    /// <summary>Gives a model a further name.</summary>
    internal void AddAlias(string name, string model)
    {
        CheckName(name);
        _aliases[name] = model;
    }

    /// <summary>Removes a further name of a model.</summary>
    /// <returns><see langword="true"/> if there was one; otherwise, <see langword="false"/>.</returns>
    internal bool RemoveAlias(string name) => _aliases.TryRemove(name, out _);

    /// <summary>Finds a model. A name is only ever compared with those of the catalog, and never becomes part of a path.</summary>
    /// <exception cref="ModelNotFoundException">There is no model with this name.</exception>
    /// <exception cref="AmbiguousModelException">Several models match the name.</exception>
    internal CatalogEntry Find(string name)
    {
        CheckName(name);
        foreach (string variant in Names(name))
        {
            try
            {
                return _catalog.Find(variant);
            }
            catch (ModelNotFoundException)
            {
                // The next variant of the name can exist.
            }
        }

        return _catalog.Find(name);
    }

    private async Task<CatalogEntry> FindAsync(string name, CancellationToken cancellationToken)
    {
        CheckName(name);
        foreach (string variant in Names(name))
        {
            try
            {
                return await _catalog.FindAsync(variant, cancellationToken).ConfigureAwait(false);
            }
            catch (ModelNotFoundException)
            {
                // The next variant of the name can exist.
            }
        }

        return await _catalog.FindAsync(name, cancellationToken).ConfigureAwait(false);
    }

    // A name is looked up as it is, as an alias, and with or without Ollama's usual tag.
    private IEnumerable<string> Names(string name)
    {
        const string Tag = ":latest";
        yield return name;
        string plain = name.EndsWith(Tag, StringComparison.OrdinalIgnoreCase) ? name[..^Tag.Length] : name;
        if (_aliases.TryGetValue(name, out string? alias) || _aliases.TryGetValue(plain, out alias)
            || Options.Aliases.TryGetValue(name, out alias) || Options.Aliases.TryGetValue(plain, out alias))
        {
            yield return alias;
        }

        yield return plain.Length < name.Length && plain.Length > 0 ? plain : $"{name}{Tag}";
    }

    private static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (string.IsNullOrWhiteSpace(name) || name.Length > LongestName)
        {
            throw new ModelNotFoundException($"A model's name has 1 to {LongestName} characters; this one has {name.Length}.");
        }
    }

    private static bool IsOfTheFile(Exception error) =>
        error is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    // The load is not canceled with the request that started it, because other requests can be waiting for it.
    private async Task<ServedModel> LoadAsync(ModelSlot slot)
    {
        CatalogEntry entry = slot.Entry;
        try
        {
            await _loading.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                long start = _time.GetTimestamp();
                ModelLog.Loading(_logger, entry.Name, entry.Path);
                ServedModel loaded = await LoadAsync(entry, slot).ConfigureAwait(false);
                ModelLog.Loaded(_logger, entry.Name, _time.GetElapsedTime(start).TotalSeconds, loaded.MemoryBytes);
                return loaded;
            }
            finally
            {
                _loading.Release();
            }
        }
        catch (Exception error)
        {
            _table.Fail(slot, error.Message);
            if (error is ModelMemoryException or OperationCanceledException)
            {
                throw;
            }

            ModelLog.LoadFailed(_logger, error, entry.Name, entry.Path);
            if (IsOfTheFile(error))
            {
                throw new ModelLoadException($"The model '{entry.Name}' could not be loaded: {error.Message}", error);
            }

            throw;
        }
    }

    private async Task<ServedModel> LoadAsync(CatalogEntry entry, ModelSlot slot)
    {
        await _table.FreedAsync().ConfigureAwait(false);
        if (Options.MemoryLimit is not null)
        {
            await MakeRoomAsync(_factory.EstimateBytes(entry), $"The model '{entry.Name}'").ConfigureAwait(false);
        }

        (MoeModel model, GenerationSession? session, LoadedCompanions companions) = await _factory.LoadAsync(entry, slot, _stopping.Token).ConfigureAwait(false);
        return new ServedModel(
            model,
            session,
            companions,
            owner => MakeContext(slot, () => _factory.MakeEmbedderAsync(owner), made => made.Memory, "Embedding"),
            owner => MakeContext(slot, () => _factory.MakeRerankerAsync(owner), made => made.Memory, "Reranking"));
    }

    // The caller must hold the semaphore.
    private async Task MakeRoomAsync(long needed, string what)
    {
        while (Options.MemoryLimit is { } limit && _table.MemoryBytes is var used && used + needed > limit)
        {
            if (!await _table.UnloadOldestAsync().ConfigureAwait(false))
            {
                throw new ModelMemoryException(
                    $"{what} needs {Mebibytes(needed)} MiB, but models in use take {Mebibytes(used)} MiB of the limit of {Mebibytes(limit)} MiB. "
                    + "Wait until other models are idle, raise the memory limit, or use a shorter context.");
            }
        }
    }

    private static long Mebibytes(long bytes) => bytes / (1024 * 1024);

    // Prevents the model from being unloaded in the meantime, because the unload and this method would wait for each other.
    private Task<T> MakeContext<T>(ModelSlot slot, Func<Task<T>> make, Func<T, MemoryBreakdown> memoryOf, string what)
        where T : class, IAsyncDisposable
    {
        _table.EnterAgain(slot);
        return Task.Run(async () =>
        {
            try
            {
                return await MakeContextAsync(make, memoryOf, what).ConfigureAwait(false);
            }
            finally
            {
                _table.Leave(slot);
            }
        });
    }

    private async Task<T> MakeContextAsync<T>(Func<Task<T>> make, Func<T, MemoryBreakdown> memoryOf, string what, Func<long>? freed = null)
        where T : class, IAsyncDisposable
    {
        await _loading.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            T context = await make().ConfigureAwait(false);
            try
            {
                await MakeRoomAsync(Taken(memoryOf(context)) - (freed?.Invoke() ?? 0), what).ConfigureAwait(false);
                return context;
            }
            catch
            {
                await context.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        finally
        {
            _loading.Release();
        }
    }

    private static long Taken(MemoryBreakdown memory) => memory.Total.ContextBytes + memory.Total.ComputeBytes;

    // A context never becomes shorter, so that requests with different lengths do not replace it all the time.
    private async Task<bool> LengthenAsync(ModelSlot slot, ServedModel loaded, int wanted)
    {
        if (loaded.Sessions is not { } sessions)
        {
            return false;
        }

        // The request can be canceled, but the model must stay loaded until its session is replaced.
        _table.EnterAgain(slot);
        try
        {
            return await LengthenAsync(sessions, loaded, wanted).ConfigureAwait(false);
        }
        finally
        {
            _table.Leave(slot);
        }
    }

    private async Task<bool> LengthenAsync(SharedSession sessions, ServedModel loaded, int wanted)
    {
        MoeModel model = loaded.Model;
        int trained = model.Info.TrainedContextLength;
        int most = Math.Min(Options.MaxContextLength ?? int.MaxValue, trained > 0 ? trained : int.MaxValue);
        int length = Math.Min(wanted, most);
        await _lengthening.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            if (sessions.Current.SequenceLength < length)
            {
                GenerationSession longer = await MakeContextAsync(
                    () => _factory.MakeLongerAsync(model, loaded.Companions, length),
                    session => session.Memory,
                    string.Create(CultureInfo.InvariantCulture, $"A context of {length} tokens"),
                    () => sessions.IsInUse ? 0 : Taken(sessions.Current.Memory)).ConfigureAwait(false);
                sessions.Replace(longer);
                ModelLog.Lengthened(_logger, model.Path, longer.SequenceLength);
            }

            return length == wanted;
        }
        catch (Exception error) when (error is InferenceException or ModelMemoryException or ArgumentException)
        {
            ModelLog.NotLengthened(_logger, model.Path, length, error.Message);
            return false;
        }
        finally
        {
            _lengthening.Release();
        }
    }

    private async Task FreeAsync(ModelSlot slot)
    {
        await ((Task)slot.Loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (slot.Loaded is { } loaded)
        {
            await loaded.DisposeAsync().ConfigureAwait(false);
            ModelLog.Unloaded(_logger, slot.Entry.Name);
        }
    }

    private async Task UnloadIdleAsync(TimeSpan idle)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromTicks(Math.Clamp(idle.Ticks / 4, TimeSpan.TicksPerMillisecond * 10, TimeSpan.TicksPerMinute)), _time);
        while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
        {
            _table.UnloadIdle(idle);
        }
    }
}
