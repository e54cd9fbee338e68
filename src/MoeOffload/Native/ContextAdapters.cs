using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Applies the LoRA adapters of a context. Only the computing thread calls its members, except <see cref="GiveUp"/>.</summary>
/// <param name="model">The model.</param>
/// <param name="slot">The session's selected adapters, or <see langword="null"/> for a context without adapters.</param>
internal sealed unsafe class ContextAdapters(ModelHandle model, AdapterSlot? slot)
{
    private AdapterSet? _applied;
    private bool _isGraphDue;
    private bool _hasChanged;
    private int _holdsGate;

    /// <summary>Applies the adapters that are selected now.</summary>
    /// <exception cref="InferenceException">llama.cpp rejected the adapters.</exception>
    public void Apply(llama_context* context)
    {
        if (slot is null || slot.Wanted == _applied)
        {
            return;
        }

        AdapterSet set = slot.Take();
        try
        {
            if (set.Handles.Length > 0 || _applied is { Handles.Length: > 0 })
            {
                Set(context, set);
            }
        }
        catch
        {
            set.Release();
            throw;
        }

        _hasChanged |= _applied is not null;
        _applied?.Release();
        _applied = set;
    }

    /// <summary>Returns whether the adapters have changed since the last call, also by a computation in between.</summary>
    public bool TakeChange()
    {
        bool hasChanged = _hasChanged;
        _hasChanged = false;
        return hasChanged;
    }

    /// <summary>Prepares for a computation. The first one after a change builds its graphs again. Must be called before each computation.</summary>
    public void Enter()
    {
        if (_isGraphDue)
        {
            model.AdapterGate.Wait();
            Volatile.Write(ref _holdsGate, 1);
        }
    }

    /// <summary>Completes a computation. Must be called after each computation.</summary>
    /// <param name="isBatchRefused"><see langword="true"/> if the computation ended before it built graphs.</param>
    public void Leave(bool isBatchRefused)
    {
        _isGraphDue &= isBatchRefused;
        GiveUp();
    }

    /// <summary>Releases what a computing thread that has been abandoned holds. Can be called on any thread.</summary>
    public void GiveUp()
    {
        if (Interlocked.Exchange(ref _holdsGate, 0) != 0)
        {
            model.AdapterGate.Release();
        }
    }

    /// <summary>Releases the adapters. Must be called after the context was freed.</summary>
    public void Release() => _applied?.Release();

    private void Set(llama_context* context, AdapterSet set)
    {
        int count = set.Handles.Length;
        llama_adapter_lora** adapters = stackalloc llama_adapter_lora*[count];
        for (int i = 0; i < count; i++)
        {
            adapters[i] = set.Handles[i].Pointer;
        }

        byte* error = stackalloc byte[NativeError.BufferSize];
        fixed (float* scales = set.Scales)
        {
            moe_status status = ShimApi.moe_adapters_set(context, adapters, scales, (nuint)count, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe("The adapters could not be set", status, error));
            }
        }

        _isGraphDue = true;
    }
}
