using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A <c>llama_sampler</c>: a chain, or a grammar.</summary>
internal sealed unsafe class SamplerHandle : SafeHandle
{
    public SamplerHandle(llama_sampler* sampler)
        : base(0, ownsHandle: true) => SetHandle((nint)sampler);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The sampler, for as long as the caller holds a reference to this handle.</summary>
    public llama_sampler* Pointer => (llama_sampler*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LlamaApi.llama_sampler_free((llama_sampler*)handle);
        return true;
    }
}
