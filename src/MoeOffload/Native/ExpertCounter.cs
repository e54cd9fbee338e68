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
    private readonly ExpertReading? _reading;

    /// <summary>Initializes a new instance of the <see cref="ExpertCounter"/> class.</summary>
    /// <param name="layerCount">The number of layers.</param>
    /// <param name="expertCount">The number of experts in each layer.</param>
    /// <param name="observer">An observer of each choice, or <see langword="null"/> if the choices are only counted, which does not enter managed code.</param>
    public ExpertCounter(int layerCount, int expertCount, IExpertObserver? observer = null)
        : base(default, ownsHandle: true)
    {
        _reading = observer is null ? null : new ExpertReading(this, observer);
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

    /// <summary>Gets the number of layers.</summary>
    public int LayerCount { get; }

    /// <summary>Gets the number of experts in each layer.</summary>
    public int ExpertCount { get; }

    /// <summary>Gets the function that llama.cpp calls for each tensor that it computes.</summary>
    public delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte> Callback => _reading is null
        ? (delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte>)NativeLibraries.CountExperts
        : NativeCallbacks.Experts;

    /// <summary>Gets what the function gets to find the counter.</summary>
    public void* CallbackData => _reading is null ? Pointer : _reading.UserData;

    /// <summary>Notifies the observer, if there is one, that a computation has ended.</summary>
    /// <param name="tokens">The number of tokens in its batch.</param>
    /// <param name="outputs">The number of tokens whose logits were computed.</param>
    /// <param name="isComplete"><see langword="false"/> if it was stopped or failed.</param>
    public void OnStep(int tokens, int outputs, bool isComplete) => _reading?.OnStep(tokens, outputs, isComplete);

    /// <summary>Counts choices, as the shim does where no observer needs them. Only one thread at a time counts.</summary>
    /// <inheritdoc cref="IExpertObserver.OnChoices" path="/param"/>
    public void Count(int layer, int rows, int used, int stride, ReadOnlySpan<int> experts)
    {
        moe_expert_counter* counter = Pointer;
        long* counts = counter->counts + ((nint)layer * ExpertCount);
        long before = counter->versions[layer];
        Volatile.Write(ref counter->versions[layer], before + 1);
        Thread.MemoryBarrier();
        for (int row = 0; row < rows; row++)
        {
            foreach (int expert in experts.Slice(row * stride, used))
            {
                if ((uint)expert < (uint)ExpertCount)
                {
                    Volatile.Write(ref counts[expert], counts[expert] + 1);
                }
            }
        }

        Volatile.Write(ref counter->tokens[layer], counter->tokens[layer] + rows);
        Volatile.Write(ref counter->versions[layer], before + 2);
    }

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
        _reading?.Dispose();
        return true;
    }
}
