using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a native parser of the answer to a prompt.</summary>
internal sealed unsafe class ChatParserHandle : SafeHandle
{
    public ChatParserHandle(moe_chat_parser* native)
        : base(default, ownsHandle: true) => SetHandle((nint)native);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the parser, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_chat_parser* Pointer => (moe_chat_parser*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        ShimApi.moe_chat_parser_free((moe_chat_parser*)handle, null, 0);
        return true;
    }
}
