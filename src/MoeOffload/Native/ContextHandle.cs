using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents a <c>llama_context</c> with everything that calls to it use: its threads, batch, flags, adapters, model and counter. They
/// are freed together after the last call that uses them, or never if the context was abandoned.
/// </summary>
internal sealed unsafe class ContextHandle : SafeHandle
{
    private readonly ModelHandle _model;
    private readonly ExpertCounter? _counter;
    private ComputeThreads? _threads;
    private ComputeThreads? _computedWith;
    private volatile bool _abandoned;

    /// <summary>Initializes a new instance of the <see cref="ContextHandle"/> class, which keeps the model and the counter alive.</summary>
    /// <exception cref="ObjectDisposedException">The model or the counter has been disposed.</exception>
    public ContextHandle(ModelHandle model, ExpertCounter? counter, ContextAdapters adapters)
        : base(default, ownsHandle: true)
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
    public override bool IsInvalid => false; // even without a context, the model must be released

    /// <summary>Gets the memory that lives as long as the context.</summary>
    public NativeMemoryScope Memory { get; } = new();

    /// <summary>Gets the context's adapters.</summary>
    public ContextAdapters Adapters { get; }

    /// <summary>Gets the counter of the experts that the context chooses, or <see langword="null"/>.</summary>
    public ExpertCounter? Counter => _counter;

    /// <summary>Gets the context, which is valid as long as the caller holds a reference to this handle.</summary>
    public llama_context* Pointer => (llama_context*)handle;

    /// <summary>Takes ownership of a new context.</summary>
    public void Attach(llama_context* context) => SetHandle((nint)context);

    /// <summary>Takes ownership of a use of threads, and makes the context compute with them.</summary>
    public void Attach(ComputeThreads threads)
    {
        ComputeThreads? former = _threads;
        _threads = threads;
        threads.Attach(Pointer);
        if (former != _computedWith)
        {
            former?.Release();
        }
    }

    /// <summary>Releases the threads that computed before, if other threads have been attached. Call this method after each computation.</summary>
    /// <remarks>Until other threads compute, llama.cpp refers to those that computed last.</remarks>
    public void OnComputed()
    {
        if (_computedWith != _threads)
        {
            _computedWith?.Release();
            _computedWith = _threads;
        }
    }

    /// <summary>Abandons the context without freeing it, since the state of its threads and memory is unknown after an abort.</summary>
    public void Abandon() => _abandoned = true;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_abandoned || _model.IsLost)
        {
            return true; // what the context still refers to is never freed either
        }

        nint context = handle;
        if (context == 0
            || RpcServers.Run(_model.Servers, () => ShimApi.moe_context_free((llama_context*)context, null, 0), out _, ModelHandle.ReleaseLimit))
        {
            _threads?.Release();
            if (_computedWith != _threads)
            {
                _computedWith?.Release();
            }

            Memory.Dispose();
            Adapters.Release();
            _model.DangerousRelease();
            _counter?.DangerousRelease();
        }

        return true;
    }
}
