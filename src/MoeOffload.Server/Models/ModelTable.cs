using MoeOffload.Catalog;

namespace MoeOffload.Server.Models;

/// <summary>
/// Keeps the models of a server: those that requests may use, and those that are on their way out of memory because they were unloaded or
/// another file has taken their place. Knows nothing of how models are loaded. Safe to use from several threads.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="free">Gives a model's memory back; started once nobody uses the model.</param>
/// <param name="isListed">Whether a model still has its name and file in the catalog.</param>
internal sealed class ModelTable(TimeProvider time, Func<ModelSlot, Task> free, Func<CatalogEntry, bool> isListed)
{
    private readonly Lock _gate = new();

    // The key is the path, because two files can have the same name.
    private readonly Dictionary<string, ModelSlot> _slots = new(StringComparer.Ordinal);
    private readonly List<ModelSlot> _leaving = [];
    private readonly Dictionary<string, string> _failures = new(StringComparer.Ordinal);
    private bool _isClosed;

    /// <summary>Gets the bytes that all models take which are in memory.</summary>
    public long MemoryBytes
    {
        get
        {
            lock (_gate)
            {
                return All().Sum(slot => slot.Loaded?.MemoryBytes ?? 0);
            }
        }
    }

    /// <summary>Enters a user of a model, adding the model if it is not there. The user leaves with <see cref="Leave"/>.</summary>
    /// <param name="entry">The model.</param>
    /// <param name="load">Starts the load of a model that is added.</param>
    /// <exception cref="ObjectDisposedException">The table was closed.</exception>
    public ModelSlot Enter(CatalogEntry entry, Func<ModelSlot, Task<ServedModel>> load)
    {
        FileStamp? stamp = FileStamp.Of(entry.Path);
        ModelSlot[] replaced = stamp is null ? [] : [.. SlotsLike(entry).Where(slot => IsReplaced(slot, entry, stamp))];
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(ModelHost));
            foreach (ModelSlot slot in replaced)
            {
                Retire(slot);
            }

            if (!_slots.TryGetValue(entry.Path, out ModelSlot? entered))
            {
                entered = new ModelSlot(entry, stamp);
                _slots.Add(entry.Path, entered);
                _failures.Remove(entry.Path);
                entered.Loading = load(entered);
            }

            entered.Users++;
            return entered;
        }
    }

    /// <summary>Enters one more user of a model that has one.</summary>
    public void EnterAgain(ModelSlot slot)
    {
        lock (_gate)
        {
            slot.Users++;
        }
    }

    /// <summary>Ends a use.</summary>
    public void Leave(ModelSlot slot)
    {
        lock (_gate)
        {
            slot.Users--;
            slot.IdleSince = time.GetTimestamp();
            FreeIfUnused(slot);
        }
    }

    /// <summary>Removes a model whose load has failed.</summary>
    public void Fail(ModelSlot slot, string reason)
    {
        lock (_gate)
        {
            if (_slots.GetValueOrDefault(slot.Entry.Path) == slot)
            {
                _slots.Remove(slot.Entry.Path);
                _failures[slot.Entry.Path] = reason;
            }

            _leaving.Remove(slot);
        }
    }

    /// <summary>Unloads a model that is not in use.</summary>
    /// <param name="name">The name of the model.</param>
    /// <param name="path">The file that has this name now; null if there is none.</param>
    /// <returns>A task that completes when the memory has been freed; null if the model is not loaded.</returns>
    /// <exception cref="ModelInUseException">Requests use the model, or it is being loaded.</exception>
    public Task? Unload(string name, string? path)
    {
        lock (_gate)
        {
            // If a file was moved or deleted, its model is still loaded under its previous name.
            ModelSlot? slot = path is not null && _slots.TryGetValue(path, out ModelSlot? known) ? known : SlotNamed(name);
            if (slot is null)
            {
                return null;
            }

            if (slot.Users > 0 || slot.Loaded is null)
            {
                throw new ModelInUseException($"The model '{name}' is being used or loaded. Unload it after its requests have ended.");
            }

            Retire(slot);
            return slot.Freeing;
        }
    }

    /// <summary>Unloads the models that have been idle for some time.</summary>
    public void UnloadIdle(TimeSpan idle)
    {
        lock (_gate)
        {
            foreach (ModelSlot slot in _slots.Values.Where(slot => IsIdle(slot) && time.GetElapsedTime(slot.IdleSince) >= idle).ToArray())
            {
                Retire(slot);
            }
        }
    }

    /// <summary>Unloads the model that has been idle for the longest time.</summary>
    /// <returns><see langword="true"/> if there was one, or memory is already being freed.</returns>
    public async Task<bool> UnloadOldestAsync()
    {
        Task freeing;
        lock (_gate)
        {
            if (_leaving.Find(slot => slot.Freeing is not null) is { } leaving)
            {
                freeing = leaving.Freeing!;
            }
            else if (_slots.Values.Where(IsIdle).MinBy(slot => slot.IdleSince) is { } oldest)
            {
                Retire(oldest);
                freeing = oldest.Freeing!;
            }
            else
            {
                return false;
            }
        }

        await freeing.ConfigureAwait(false);
        return true;
    }

    /// <summary>Waits until the memory of all models that are being freed has been released.</summary>
    public Task FreedAsync()
    {
        lock (_gate)
        {
            return Task.WhenAll(_leaving.Select(slot => slot.Freeing).OfType<Task>());
        }
    }

    /// <summary>Returns the status of a model.</summary>
    public ModelStatus GetStatus(CatalogEntry entry)
    {
        lock (_gate)
        {
            if (_slots.TryGetValue(entry.Path, out ModelSlot? slot))
            {
                return StatusOf(slot, entry);
            }

            string? failure = _failures.GetValueOrDefault(entry.Path);
            return new ModelStatus(entry, failure is null ? ModelState.Unloaded : ModelState.Failed, 0, 0, 0, failure);
        }
    }

    /// <summary>Returns the models in memory, including those that are being unloaded.</summary>
    public IReadOnlyList<(ModelStatus Status, ServedModel Model)> GetLoaded()
    {
        lock (_gate)
        {
            return [.. All().Where(slot => slot.Loaded is not null).Select(slot => (StatusOf(slot, slot.Entry), slot.Loaded!))];
        }
    }

    /// <summary>Returns whether a model with this name can be used without loading it.</summary>
    public bool Has(string name)
    {
        lock (_gate)
        {
            return SlotNamed(name) is not null;
        }
    }

    /// <summary>Frees all models, even if they are in use, and accepts no new ones.</summary>
    public async Task CloseAsync()
    {
        Task[] ends;
        lock (_gate)
        {
            _isClosed = true;
            ends = [.. All().Select(slot => slot.Freeing ??= FreeAsync(slot))];
            _slots.Clear();
        }

        await Task.WhenAll(ends).ConfigureAwait(false);
    }

    private static bool IsIdle(ModelSlot slot) => slot.Users == 0 && slot.Loaded is not null;

    private static ModelStatus StatusOf(ModelSlot slot, CatalogEntry entry) => slot.Loaded is { } loaded
        ? new ModelStatus(entry, ModelState.Loaded, 1, slot.Users, loaded.MemoryBytes, null)
        : new ModelStatus(entry, ModelState.Loading, slot.Progress, slot.Users, 0, null);

    // Returns true if the file was rewritten, or the name now refers to another file.
    private bool IsReplaced(ModelSlot slot, CatalogEntry entry, FileStamp? stamp) =>
        slot.Entry.Path == entry.Path ? slot.Stamp is not null && slot.Stamp != stamp : !isListed(slot.Entry);

    private ModelSlot[] SlotsLike(CatalogEntry entry)
    {
        lock (_gate)
        {
            return [.. _slots.Values.Where(slot => slot.Entry.Path == entry.Path || slot.Entry.Name == entry.Name)];
        }
    }

    private ModelSlot? SlotNamed(string name) => _slots.Values.FirstOrDefault(slot => slot.Entry.Name == name);

    private IEnumerable<ModelSlot> All() => _slots.Values.Concat(_leaving);

    private void Retire(ModelSlot slot)
    {
        if (_slots.GetValueOrDefault(slot.Entry.Path) == slot)
        {
            _slots.Remove(slot.Entry.Path);
            _leaving.Add(slot);
            FreeIfUnused(slot);
        }
    }

    private void FreeIfUnused(ModelSlot slot)
    {
        if (slot is { Users: 0, Freeing: null } && _leaving.Contains(slot))
        {
            slot.Freeing = FreeAsync(slot);
        }
    }

    private async Task FreeAsync(ModelSlot slot)
    {
        // Continue without the lock that the caller holds.
        await Task.Yield();
        try
        {
            await free(slot).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _leaving.Remove(slot);
            }
        }
    }
}
