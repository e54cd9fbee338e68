using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// The threads that compute what a context has on the CPU. Contexts that compute in turns share them: those that have just worked wait
/// for more without sleeping, and would take the cores from the others' next turn.
/// </summary>
internal sealed unsafe class ComputeThreads
{
    private readonly ggml_threadpool* _decode;
    private readonly ggml_threadpool* _prompt;
    private readonly int _decodeCount;
    private readonly int _promptCount;
    private int _uses = 1;

    private ComputeThreads(int decodeCount, int promptCount)
    {
        _decodeCount = decodeCount;
        _promptCount = promptCount;
        _decode = Start(decodeCount);
        try
        {
            _prompt = promptCount == decodeCount ? _decode : Start(promptCount);
        }
        catch
        {
            Free(_decode);
            throw;
        }
    }

    /// <summary>Threads for a context, with one use: another context's, where it has as many.</summary>
    /// <param name="decodeCount">Threads for single tokens.</param>
    /// <param name="promptCount">Threads for more.</param>
    /// <param name="others">Those of a context that computes only when this one does not; null where there is none.</param>
    /// <exception cref="InferenceException">They could not be started.</exception>
    public static ComputeThreads Take(int decodeCount, int promptCount, ComputeThreads? others)
    {
        if (others is not null && others._decodeCount == decodeCount && others._promptCount == promptCount)
        {
            Interlocked.Increment(ref others._uses);
            return others;
        }

        return new ComputeThreads(decodeCount, promptCount);
    }

    /// <summary>Has a context compute with them.</summary>
    public void Attach(llama_context* context) => LlamaApi.llama_attach_threadpool(context, _decode, _prompt);

    /// <summary>Ends one use; the last one ends the threads.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            if (_prompt != _decode)
            {
                Free(_prompt);
            }

            Free(_decode);
        }
    }

    private static ggml_threadpool* Start(int count)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        ggml_threadpool* threads;
        moe_status status = ShimApi.moe_threadpool_new(count, &threads, error, NativeError.BufferSize);
        return status == moe_status.MOE_STATUS_OK
            ? threads
            : throw new InferenceException(NativeError.Describe($"{count} threads could not be started", status, error));
    }

    private static void Free(ggml_threadpool* threads) => ShimApi.moe_threadpool_free(threads, null, 0);
}
