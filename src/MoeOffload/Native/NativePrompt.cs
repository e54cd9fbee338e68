using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a prompt with images, as chunks: each is a run of tokens, or an image or a part of one.</summary>
internal sealed unsafe class NativePrompt : SafeHandle
{
    /// <summary>Takes ownership of a prompt.</summary>
    /// <exception cref="InferenceException">The chunks could not be read.</exception>
    public NativePrompt(moe_prompt* prompt)
        : base(default, ownsHandle: true)
    {
        SetHandle((nint)prompt);
        byte* error = stackalloc byte[NativeError.BufferSize];
        nuint count;
        Check(ShimApi.moe_prompt_chunks(prompt, null, 0, &count, error, NativeError.BufferSize), error);
        moe_prompt_chunk[] entries = new moe_prompt_chunk[(int)count];
        fixed (moe_prompt_chunk* chunks = entries)
        {
            Check(ShimApi.moe_prompt_chunks(prompt, chunks, count, &count, error, NativeError.BufferSize), error);
        }

        Chunks = [.. entries.Select(entry => new NativePromptChunk(entry.image >= 0 ? entry.image : null, entry.n_tokens, entry.n_positions, entry.is_causal != 0))];
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the chunks, in the order of the prompt.</summary>
    public IReadOnlyList<NativePromptChunk> Chunks { get; }

    /// <summary>Gets the prompt, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_prompt* Pointer => (moe_prompt*)handle;

    /// <summary>Gets the tokens of a chunk that is not an image.</summary>
    public int[] ReadTokens(int chunk)
    {
        int[] tokens = new int[Chunks[chunk].TokenCount];
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(this);
        fixed (int* target = tokens)
        {
            Check(ShimApi.moe_prompt_tokens(Pointer, (nuint)chunk, target, (nuint)tokens.Length, error, NativeError.BufferSize), error);
        }

        return tokens;
    }

    /// <summary>Writes the positions of embeddings of an image, as a batch has them.</summary>
    /// <param name="chunk">The index of the image's chunk.</param>
    /// <param name="first">The position at which the image begins.</param>
    /// <param name="begin">The index of the first embedding.</param>
    /// <param name="count">The number of embeddings.</param>
    /// <param name="positions">Receives the positions.</param>
    public void ReadPositions(int chunk, int first, int begin, int count, Span<int> positions)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(this);
        fixed (int* target = positions)
        {
            Check(ShimApi.moe_prompt_positions(Pointer, (nuint)chunk, first, (nuint)begin, target, (nuint)count, error, NativeError.BufferSize), error);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        ShimApi.moe_prompt_free((moe_prompt*)handle, null, 0);
        return true;
    }

    private static void Check(moe_status status, byte* error)
    {
        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new InferenceException(NativeError.Describe("The prompt could not be read", status, error));
        }
    }
}
