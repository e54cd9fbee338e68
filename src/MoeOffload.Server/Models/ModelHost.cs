using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>
/// The models of a server: loaded when they are first asked for, several at a time, shared by all requests, and unloaded when they were
/// idle for long or others need the room. Safe to use from several threads.
/// </summary>
public sealed class ModelHost : IAsyncDisposable
{
    private const int LongestName = 512;

    private readonly Lock _gate = new();
    // By path: names can be alike.
    private readonly Dictionary<string, ModelSlot> _slots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _failures = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _memory = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ModelCatalog _catalog;
    private readonly MoeServerOptions _options;
    private readonly ModelFactory _factory;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Task _unloading;

    /// <summary>Makes a host without any model loaded.</summary>
    /// <param name="catalog">The models by name.</param>
    /// <param name="options">How to load them, and when to unload.</param>
    /// <param name="loggers">Where logs go, those of llama.cpp included unless <see cref="ModelOptions.LoggerFactory"/> is set.</param>
    /// <param name="time">The clock.</param>
    public ModelHost(ModelCatalog catalog, IOptions<MoeServerOptions> options, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _catalog = catalog;
        _options = options.Value;
        _factory = new ModelFactory(_options, loggers);
        _logger = loggers.CreateLogger<ModelHost>();
        _time = time;
        _unloading = _options.IdleUnload is { } idle ? UnloadIdleAsync(idle) : Task.CompletedTask;
    }

    /// <summary>The models by name.</summary>
    public ModelCatalog Catalog => _catalog;

    /// <summary>Gets a model to use, loading it if nobody has yet.</summary>
    /// <param name="name">Its name in the catalog.</param>
    /// <param name="cancellationToken">Ends the wait; a load goes on for others, and for the next who asks.</param>
    /// <returns>The use of the model, which keeps it loaded until it is disposed.</returns>
    /// <exception cref="ApiException">There is no such model, it cannot be loaded, or there is no room for it.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled, or the server stops.</exception>
    public Task<ModelLease> AcquireAsync(string name, CancellationToken cancellationToken = default) => AcquireAsync(Find(name), cancellationToken);

    /// <summary>Gives up a model's memory unless requests use it.</summary>
    /// <param name="name">Its name in the catalog.</param>
    /// <returns>False where it is not loaded.</returns>
    /// <exception cref="ApiException">There is no such model, or requests use it.</exception>
    public async Task<bool> UnloadAsync(string name)
    {
        CatalogEntry entry = Find(name);
        await _memory.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            ModelSlot? slot;
            lock (_gate)
            {
                if (!_slots.TryGetValue(entry.Path, out slot))
                {
                    return false;
                }

                if (slot.Users > 0 || slot.Loaded is null)
                {
                    throw new ApiException(
                        409, "invalid_request_error", "model_in_use", $"The model '{name}' is being used or loaded: unload it once its requests have ended.", "model");
                }

                _slots.Remove(entry.Path);
            }

            await FreeAsync(slot).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _memory.Release();
        }
    }

    /// <summary>What the server does with a model now.</summary>
    /// <param name="name">Its name in the catalog.</param>
    /// <exception cref="ApiException">There is no such model.</exception>
    public ModelStatus GetStatus(string name) => GetStatus(Find(name));

    /// <summary>What the server does with each model of the catalog now.</summary>
    public IReadOnlyList<ModelStatus> List() => [.. _catalog.List().Select(GetStatus)];

    /// <summary>Ends all loads and gives all memory back. Requests that still run end with an error.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _unloading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ModelSlot[] slots;
        lock (_gate)
        {
            slots = [.. _slots.Values];
            _slots.Clear();
        }

        foreach (ModelSlot slot in slots)
        {
            await ((Task)slot.Loading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (slot.Loaded is { } loaded)
            {
                await loaded.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc cref="AcquireAsync(string, CancellationToken)"/>
    internal async Task<ModelLease> AcquireAsync(CatalogEntry entry, CancellationToken cancellationToken)
    {
        ModelSlot slot = Enter(entry);
        try
        {
            LoadedModel loaded = await slot.Loading.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new ModelLease(slot.Entry.Name, loaded, () => Leave(slot));
        }
        catch
        {
            Leave(slot);
            throw;
        }
    }

    /// <summary>What the server does with a model now.</summary>
    internal ModelStatus GetStatus(CatalogEntry entry)
    {
        lock (_gate)
        {
            if (!_slots.TryGetValue(entry.Path, out ModelSlot? slot))
            {
                string? failure = _failures.GetValueOrDefault(entry.Path);
                return new ModelStatus(entry, failure is null ? ModelState.Unloaded : ModelState.Failed, 0, 0, 0, failure);
            }

            return slot.Loaded is { } loaded
                ? new ModelStatus(entry, ModelState.Loaded, 1, slot.Users, loaded.MemoryBytes, null)
                : new ModelStatus(entry, ModelState.Loading, slot.Progress, slot.Users, 0, null);
        }
    }

    /// <summary>The models in memory, for measuring.</summary>
    internal IReadOnlyList<(string Name, LoadedModel Model)> Snapshot()
    {
        lock (_gate)
        {
            return [.. _slots.Values.Where(slot => slot.Loaded is not null).Select(slot => (slot.Entry.Name, slot.Loaded!))];
        }
    }

    /// <summary>Finds a model: a name is only ever compared with those of the catalog, and never becomes part of a path.</summary>
    internal CatalogEntry Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (string.IsNullOrWhiteSpace(name) || name.Length > LongestName)
        {
            throw ApiException.ModelNotFound(name.Length > LongestName ? string.Concat(name.AsSpan(0, 100), "…") : name);
        }

        try
        {
            return _catalog.Find(name);
        }
        catch (ModelNotFoundException)
        {
            throw ApiException.ModelNotFound(name);
        }
        catch (AmbiguousModelException error)
        {
            throw ApiException.Invalid(error.Message, "model", "ambiguous_model");
        }
    }

    private static bool IsOfTheFile(Exception error) =>
        error is MoeOffloadException or IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    private ModelSlot Enter(CatalogEntry entry)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping.IsCancellationRequested, this);
            if (!_slots.TryGetValue(entry.Path, out ModelSlot? slot))
            {
                slot = new ModelSlot(entry);
                _slots.Add(entry.Path, slot);
                _failures.Remove(entry.Path);
                slot.Loading = Task.Run(() => LoadAsync(slot));
            }

            slot.Users++;
            return slot;
        }
    }

    private void Leave(ModelSlot slot)
    {
        lock (_gate)
        {
            slot.Users--;
            slot.IdleSince = _time.GetTimestamp();
        }
    }

    // Not cancelled with the request that began it: others may wait, and the next one will.
    private async Task<LoadedModel> LoadAsync(ModelSlot slot)
    {
        CatalogEntry entry = slot.Entry;
        try
        {
            await _memory.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                long start = _time.GetTimestamp();
                ModelLog.Loading(_logger, entry.Name, entry.Path);
                LoadedModel loaded = await LoadAsync(entry, slot).ConfigureAwait(false);
                ModelLog.Loaded(_logger, entry.Name, _time.GetElapsedTime(start).TotalSeconds, loaded.MemoryBytes);
                return loaded;
            }
            finally
            {
                _memory.Release();
            }
        }
        catch (Exception error)
        {
            Forget(slot, error.Message);
            if (error is ApiException or OperationCanceledException)
            {
                throw;
            }

            ModelLog.LoadFailed(_logger, error, entry.Name, entry.Path);
            throw IsOfTheFile(error)
                ? new ApiException(502, "server_error", "model_load_failed", $"The model '{entry.Name}' could not be loaded: {error.Message}", "model", error)
                : new ApiException($"The model '{entry.Name}' could not be loaded.", error);
        }
    }

    private async Task<LoadedModel> LoadAsync(CatalogEntry entry, ModelSlot slot)
    {
        await MakeRoomAsync(entry).ConfigureAwait(false);
        (MoeModel model, GenerationSession? session) = await _factory.LoadAsync(entry, slot, _stopping.Token).ConfigureAwait(false);
        return new LoadedModel(model, session, owner => MakeEmbedder(slot, owner));
    }

    private async Task MakeRoomAsync(CatalogEntry entry)
    {
        if (_options.MemoryLimit is not null)
        {
            long needed = await Task.Run(() => _factory.EstimateBytes(entry)).ConfigureAwait(false);
            await MakeRoomAsync(needed, $"The model '{entry.Name}'").ConfigureAwait(false);
        }
    }

    // Called by whoever holds the memory semaphore.
    private async Task MakeRoomAsync(long needed, string what)
    {
        if (_options.MemoryLimit is not { } limit)
        {
            return;
        }

        while (true)
        {
            ModelSlot? oldest;
            lock (_gate)
            {
                ModelSlot[] loaded = [.. _slots.Values.Where(slot => slot.Loaded is not null)];
                long used = loaded.Sum(slot => slot.Loaded!.MemoryBytes);
                if (used + needed <= limit)
                {
                    return;
                }

                oldest = loaded.Where(slot => slot.Users == 0).MinBy(slot => slot.IdleSince);
                if (oldest is null)
                {
                    throw ApiException.Unavailable(
                        "insufficient_memory",
                        $"{what} needs {Mebibytes(needed)} MiB, models in use take {Mebibytes(used)} MiB of the limit of {Mebibytes(limit)} MiB: "
                        + "wait until others are idle, raise the memory limit, or serve with a shorter context.");
                }

                _slots.Remove(oldest.Entry.Path);
            }

            await FreeAsync(oldest).ConfigureAwait(false);
        }
    }

    private static long Mebibytes(long bytes) => bytes / (1024 * 1024);

    // Keeps the model from being unloaded meanwhile, which would wait for this and for which this would wait.
    private Task<Embedder> MakeEmbedder(ModelSlot slot, MoeModel model)
    {
        lock (_gate)
        {
            slot.Users++;
        }

        return Task.Run(async () =>
        {
            try
            {
                return await MakeEmbedderAsync(model).ConfigureAwait(false);
            }
            finally
            {
                Leave(slot);
            }
        });
    }

    private async Task<Embedder> MakeEmbedderAsync(MoeModel model)
    {
        await _memory.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            Embedder embedder = await _factory.MakeEmbedderAsync(model).ConfigureAwait(false);
            try
            {
                long taken = embedder.Memory.Total.ContextBytes + embedder.Memory.Total.ComputeBytes;
                await MakeRoomAsync(taken, "Embedding").ConfigureAwait(false);
                return embedder;
            }
            catch
            {
                await embedder.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        finally
        {
            _memory.Release();
        }
    }

    private async Task FreeAsync(ModelSlot slot)
    {
        await slot.Loaded!.DisposeAsync().ConfigureAwait(false);
        ModelLog.Unloaded(_logger, slot.Entry.Name);
    }

    private void Forget(ModelSlot slot, string reason)
    {
        lock (_gate)
        {
            _slots.Remove(slot.Entry.Path);
            _failures[slot.Entry.Path] = reason;
        }
    }

    private async Task UnloadIdleAsync(TimeSpan idle)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromTicks(Math.Clamp(idle.Ticks / 4, TimeSpan.TicksPerMillisecond * 10, TimeSpan.TicksPerMinute)), _time);
        while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
        {
            await _memory.WaitAsync(_stopping.Token).ConfigureAwait(false);
            try
            {
                foreach (ModelSlot slot in TakeIdle(idle))
                {
                    await FreeAsync(slot).ConfigureAwait(false);
                }
            }
            finally
            {
                _memory.Release();
            }
        }
    }

    private List<ModelSlot> TakeIdle(TimeSpan idle)
    {
        lock (_gate)
        {
            List<ModelSlot> taken =
            [
                .. _slots.Values.Where(slot => slot.Loaded is not null && slot.Users == 0 && _time.GetElapsedTime(slot.IdleSince) >= idle),
            ];
            taken.ForEach(slot => _slots.Remove(slot.Entry.Path));
            return taken;
        }
    }
}
