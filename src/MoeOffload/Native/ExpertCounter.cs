using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents native memory in which contexts count the experts that their routers choose. Each context keeps it alive, so that a context
/// that is created again continues to count, and an abandoned one can still use it.
/// </summary>
internal sealed unsafe class ExpertCounter : SafeHandle
{
    // The choices of one layer for the largest default micro-batch and 128 experts; larger ones are read in parts.
    private const int ScratchLength = 1 << 18;

    private readonly NativeMemoryScope _memory = new();

    /// <summary>Initializes a new instance of the <see cref="ExpertCounter"/> class.</summary>
    public ExpertCounter(int layerCount, int expertCount)
        : base(default, ownsHandle: true)
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
    public override bool IsInvalid => false; // if memory ran out halfway, the first half must be released

    /// <summary>Gets the counter, which is valid as long as the caller holds a reference to this handle.</summary>
    public moe_expert_counter* Pointer => (moe_expert_counter*)handle;

    private int LayerCount { get; }

    /// <summary>Gets the number of experts in each layer.</summary>
    public int ExpertCount { get; }

    /// <summary>Reads the current counts. Can be called on any thread.</summary>
    /// <param name="counts">The number of times that each expert was chosen, layer by layer.</param>
    /// <param name="tokens">The number of tokens that were counted in each layer.</param>
    /// <exception cref="ObjectDisposedException">The counter has been disposed.</exception>
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
