using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>The LoRA adapters of a context. Used by the thread that computes, but for <see cref="GiveUp"/>.</summary>
/// <param name="model">The model.</param>
/// <param name="slot">Where the session says what it wants; null for a context that takes no adapters.</param>
internal sealed unsafe class ContextAdapters(ModelHandle model, AdapterSlot? slot)
{
    private AdapterSet? _applied;
    private bool _isGraphDue;
    private int _holdsGate;

    /// <summary>Takes over what is wanted now.</summary>
    /// <returns>Whether it is something else than before.</returns>
    /// <exception cref="InferenceException">llama.cpp refused it.</exception>
    public bool Apply(llama_context* context)
    {
        if (slot is null || slot.Wanted == _applied)
        {
            return false;
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

        bool isFirst = _applied is null;
        _applied?.Release();
        _applied = set;
        return !isFirst;
    }

    /// <summary>To be called before a computation: the first after a change builds its graphs anew.</summary>
    public void Enter()
    {
        if (_isGraphDue)
        {
            model.AdapterGate.Wait();
            Volatile.Write(ref _holdsGate, 1);
        }
    }

    /// <summary>To be called after a computation.</summary>
    /// <param name="isBatchRefused">Whether it ended before it built anything.</param>
    public void Leave(bool isBatchRefused)
    {
        _isGraphDue &= isBatchRefused;
        GiveUp();
    }

    /// <summary>To be called by any thread that gives the computing one up.</summary>
    public void GiveUp()
    {
        if (Interlocked.Exchange(ref _holdsGate, 0) != 0)
        {
            model.AdapterGate.Release();
        }
    }

    /// <summary>To be called once the context is freed.</summary>
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
