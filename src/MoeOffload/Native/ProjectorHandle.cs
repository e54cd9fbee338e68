using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a projector, which keeps its model alive.</summary>
internal sealed unsafe class ProjectorHandle : SafeHandle
{
    private readonly ModelHandle _model;
    private volatile bool _isBroken;

    /// <summary>Initializes a new instance of the <see cref="ProjectorHandle"/> class, which has no projector yet.</summary>
    public ProjectorHandle(ModelHandle model)
        : base(default, ownsHandle: true)
    {
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => false; // even without a projector, the model must be released

    /// <summary>Gets a value that indicates whether llama.cpp aborted inside the projector, which must then be neither used nor freed.</summary>
    public bool IsBroken => _isBroken;

    /// <summary>Gets the projector, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_projector* Pointer => (moe_projector*)handle;

    /// <summary>Sets the projector, which this handle then owns.</summary>
    public void Attach(moe_projector* projector) => SetHandle((nint)projector);

    /// <summary>Records that llama.cpp aborted inside the projector.</summary>
    public void OnAborted() => _isBroken = true;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (!_isBroken)
        {
            ShimApi.moe_projector_free((moe_projector*)handle, null, 0);
        }

        _model.DangerousRelease();
        return true;
    }
}
