using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// The native memory in which contexts count what their routers choose. Each context keeps it, so that one that is made again goes
/// on counting, and one that was given up still has it.
/// </summary>
internal sealed unsafe class ExpertCounter : SafeHandle
{
    // The choices of one layer for the largest default micro-batch and 128 experts; a larger one is read in parts.
    private const int ScratchLength = 1 << 18;

    private readonly NativeMemoryScope _memory = new();

    /// <summary>Makes a counter for a model's layers and the experts of each.</summary>
    public ExpertCounter(int layerCount, int expertCount)
        : base(0, ownsHandle: true)
    {
        LayerCount = layerCount;
        ExpertCount = expertCount;
        moe_expert_counter* counter = _memory.Allocate<moe_expert_counter>(1);
        counter->n_layers = layerCount;
        counter->n_experts = expertCount;
        counter->counts = _memory.Allocate<long>(layerCount * expertCount);
        counter->tokens = _memory.Allocate<long>(layerCount);
        counter->versions = _memory.Allocate<long>(layerCount);
        counter->n_ids = (ulong)Math.Max(ScratchLength, expertCount);
        counter->ids = _memory.Allocate<int>((int)counter->n_ids);
        SetHandle((nint)counter);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => false; // where memory ran out half-way there is still the first half to give back

    /// <summary>The counter, for as long as the caller holds a reference to this handle.</summary>
    public moe_expert_counter* Pointer => (moe_expert_counter*)handle;

    private int LayerCount { get; }

    /// <summary>Gets the experts of each layer.</summary>
    public int ExpertCount { get; }

    /// <summary>Reads what was counted so far; from any thread.</summary>
    /// <param name="counts">Gets how often each expert was chosen, layer by layer.</param>
    /// <param name="tokens">Gets the tokens that each layer has counted.</param>
    /// <exception cref="ObjectDisposedException">The counter was disposed.</exception>
    public void Read(out long[] counts, out long[] tokens)
    {
        counts = new long[LayerCount * ExpertCount];
        tokens = new long[LayerCount];
        using HandleUse use = new(this);
        byte* error = stackalloc byte[NativeError.BufferSize];
        fixed (long* intoCounts = counts, intoTokens = tokens)
        {
            moe_status status = ShimApi.moe_expert_counts(
                Pointer, intoCounts, (nuint)counts.Length, intoTokens, (nuint)tokens.Length, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe("The expert counts could not be read", status, error));
            }
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _memory.Dispose();
        return true;
    }
}
