using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a <c>llama_sampler</c>, which is a chain or a grammar.</summary>
internal sealed unsafe class SamplerHandle : SafeHandle
{
    public SamplerHandle(llama_sampler* sampler)
        : base(default, ownsHandle: true) => SetHandle((nint)sampler);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the sampler, which is valid as long as the caller holds a reference to this handle.</summary>
    public llama_sampler* Pointer => (llama_sampler*)handle;

    /// <summary>Creates a sampler for a grammar.</summary>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="grammar">The grammar, in GBNF.</param>
    /// <param name="root">The name of the root rule.</param>
    /// <exception cref="ArgumentException">The grammar is not valid.</exception>
    public static SamplerHandle OfGrammar(NativeVocabulary vocabulary, string grammar, string root)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        llama_sampler* sampler;
        using HandleUse use = new(vocabulary.Model);
        fixed (byte* text = Utf8.ToTerminated(grammar, "The grammar"))
        fixed (byte* start = Utf8.ToTerminated(root, "The grammar's root"))
        {
            moe_status status = ShimApi.moe_sampler_grammar(vocabulary.Pointer, text, start, &sampler, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new ArgumentException(NativeError.Describe("The grammar has an error", status, error), nameof(grammar));
            }
        }

        return new SamplerHandle(sampler);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LlamaApi.llama_sampler_free((llama_sampler*)handle);
        return true;
    }
}
