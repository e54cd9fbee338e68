using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// A <c>llama_context</c> with all that a call on it can touch: its threads, its batch and flags, its adapters, its model and what it
/// counts in. They are freed together, after the last call that uses them, or never if it was given up.
/// </summary>
internal sealed unsafe class ContextHandle : SafeHandle
{
    private readonly ModelHandle _model;
    private readonly ExpertCounter? _counter;
    private ComputeThreads? _threads;
    private volatile bool _abandoned;

    /// <summary>Keeps a model, and a counter if there is one, for the context that is made next.</summary>
    /// <exception cref="ObjectDisposedException">The model or the counter was disposed.</exception>
    public ContextHandle(ModelHandle model, ExpertCounter? counter, ContextAdapters adapters)
        : base(0, ownsHandle: true)
    {
        Adapters = adapters;
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        if (counter is not null)
        {
            added = false;
            counter.DangerousAddRef(ref added);
            _counter = counter;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => false; // without a context there is still the model to give back

    /// <summary>Gets the memory that lives as long as the context.</summary>
    public NativeMemoryScope Memory { get; } = new();

    /// <summary>Gets the context's adapters.</summary>
    public ContextAdapters Adapters { get; }

    /// <summary>Gets the context, for as long as the caller holds a reference to this handle.</summary>
    public llama_context* Pointer => (llama_context*)handle;

    /// <summary>Takes over a new context.</summary>
    public void Attach(llama_context* context) => SetHandle((nint)context);

    /// <summary>Takes over a use of threads, which the context then computes with.</summary>
    public void Attach(ComputeThreads threads)
    {
        _threads = threads;
        threads.Attach(Pointer);
    }

    /// <summary>Gives the context up without freeing it: after an abort its threads and memory are in no known state.</summary>
    public void Abandon() => _abandoned = true;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_abandoned || _model.IsLost)
        {
            return true; // and what the context still refers to is never freed either
        }

        nint context = handle;
        if (context == 0
            || RpcServers.Run(_model.Servers, () => ShimApi.moe_context_free((llama_context*)context, null, 0), out _, ModelHandle.ReleaseLimit))
        {
            _threads?.Release();
            Memory.Dispose();
            Adapters.Release();
            _model.DangerousRelease();
            _counter?.DangerousRelease();
        }

        return true;
    }
}
