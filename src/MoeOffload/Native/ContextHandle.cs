using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A <c>llama_context</c>, which keeps its model and what it counts in.</summary>
internal sealed unsafe class ContextHandle : SafeHandle
{
    private readonly ModelHandle _model;
    private readonly ExpertCounter? _counter;
    private volatile bool _abandoned;

    /// <summary>Keeps a model, and a counter where there is one, for the context that is made next.</summary>
    /// <exception cref="ObjectDisposedException">The model or the counter was disposed.</exception>
    public ContextHandle(ModelHandle model, ExpertCounter? counter = null)
        : base(0, ownsHandle: true)
    {
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

    /// <summary>The context, for as long as the caller holds a reference to this handle.</summary>
    public llama_context* Pointer => (llama_context*)handle;

    /// <summary>Takes a new context over.</summary>
    public void Attach(llama_context* context) => SetHandle((nint)context);

    /// <summary>Gives the context up without freeing it: after an abort its threads and memory are in no known state.</summary>
    public void Abandon() => _abandoned = true;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_abandoned || _model.IsLost)
        {
            return true; // and the model and counter, which the context still refers to, are never given back either
        }

        nint context = handle;
        if (context == 0
            || RpcServers.Run(_model.Servers, () => ShimApi.moe_context_free((llama_context*)context, null, 0), out _, ModelHandle.ReleaseLimit))
        {
            _model.DangerousRelease();
            _counter?.DangerousRelease();
        }

        return true;
    }
}
