using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a parsed native chat template.</summary>
internal sealed unsafe class ChatTemplateHandle : SafeHandle
{
    public ChatTemplateHandle(moe_chat* native)
        : base(default, ownsHandle: true) => SetHandle((nint)native);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the template, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_chat* Pointer => (moe_chat*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        ShimApi.moe_chat_free((moe_chat*)handle, null, 0);
        return true;
    }
}
