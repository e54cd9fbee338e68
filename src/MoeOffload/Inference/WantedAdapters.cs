using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>The LoRA adapters that a session wants, as its users and as its contexts know them. Safe to use from several threads.</summary>
internal sealed class WantedAdapters
{
    private readonly Lock _gate = new();
    private volatile IReadOnlyList<ScaledAdapter> _current;

    /// <summary>Wants adapters, which are checked.</summary>
    /// <exception cref="ObjectDisposedException">One was disposed.</exception>
    public WantedAdapters(IReadOnlyList<ScaledAdapter> adapters)
    {
        _current = adapters;
        Slot = new AdapterSlot(Handles(adapters));
    }

    /// <summary>Gets what is wanted now.</summary>
    public IReadOnlyList<ScaledAdapter> Current => _current;

    /// <summary>Gets where contexts look for what is wanted.</summary>
    public AdapterSlot Slot { get; }

    /// <summary>Wants others.</summary>
    /// <exception cref="ObjectDisposedException">One was disposed.</exception>
    public void Set(IReadOnlyList<ScaledAdapter> adapters)
    {
        lock (_gate)
        {
            Slot.Set(Handles(adapters));
            _current = adapters;
        }
    }

    /// <summary>Makes a session's first context, or wants nothing any more.</summary>
    /// <exception cref="InferenceException">The context could not be made.</exception>
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

    /// <summary>Wants nothing any more once the session has ended.</summary>
    public void ReleaseAfter(Task ended) => Slot.ReleaseAfter(ended);

    /// <summary>Wants nothing any more.</summary>
    public void Release() => Slot.Release();

    private static (AdapterHandle Handle, float Scale)[] Handles(IReadOnlyList<ScaledAdapter> adapters) =>
        [.. adapters.Select(adapter => (adapter.Adapter.Handle, adapter.Scale))];
}
