using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>Holds the LoRA adapters that a session currently uses, for its callers and its contexts. Instances are thread-safe.</summary>
internal sealed class SessionAdapters
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<ScaledAdapter> _current;

    /// <summary>Initializes the adapters, which are already validated.</summary>
    /// <exception cref="ObjectDisposedException">An adapter has been disposed.</exception>
    public SessionAdapters(IReadOnlyList<ScaledAdapter> adapters)
    {
        _current = adapters;
        Slot = new AdapterSlot(Handles(adapters));
    }

    /// <summary>Gets the current adapters.</summary>
    public IReadOnlyList<ScaledAdapter> Current => _current;

    /// <summary>Gets the slot from which contexts read the current adapters.</summary>
    public AdapterSlot Slot { get; }

    /// <summary>Replaces the adapters.</summary>
    /// <exception cref="ObjectDisposedException">An adapter has been disposed.</exception>
    public void Set(IReadOnlyList<ScaledAdapter> adapters)
    {
        lock (_gate)
        {
            Slot.Set(Handles(adapters));
            _current = adapters;
        }
    }

    /// <summary>Creates the first context of a session. If that fails, the adapters are released.</summary>
    /// <exception cref="InferenceException">The context could not be created.</exception>
    public NativeContext MakeContext(ModelHandle model, ContextSettings settings, ILogger logger, ExpertCounter? counter = null)
    {
        try
        {
            return NativeContext.Create(model, settings, logger, Slot, counter);
        }
        catch
        {
            Slot.Release();
            throw;
        }
    }

    /// <summary>Releases the adapters when the session has ended.</summary>
    public void ReleaseAfter(Task ended) => Slot.ReleaseAfter(ended);

    /// <summary>Releases the adapters.</summary>
    public void Release() => Slot.Release();

    private static (AdapterHandle Handle, float Scale)[] Handles(IReadOnlyList<ScaledAdapter> adapters) =>
        [.. adapters.Select(adapter => (adapter.Adapter.Handle, adapter.Scale))];
}
