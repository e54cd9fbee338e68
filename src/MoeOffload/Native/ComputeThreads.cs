using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents the threads that compute on the CPU for a context. Contexts that compute alternately share them, since threads that have
/// just finished wait actively for more work and would take the cores from the other context's threads.
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

    /// <summary>Gets threads for a context: those of another context, if it has equally many, or new ones. The caller must release them.</summary>
    /// <param name="decodeCount">The number of threads for single tokens.</param>
    /// <param name="promptCount">The number of threads for several tokens.</param>
    /// <param name="others">The threads of a context that never computes at the same time, or <see langword="null"/>.</param>
    /// <exception cref="InferenceException">The threads could not be started.</exception>
    public static ComputeThreads Take(int decodeCount, int promptCount, ComputeThreads? others)
    {
        if (others is not null && others._decodeCount == decodeCount && others._promptCount == promptCount)
        {
            Interlocked.Increment(ref others._uses);
            return others;
        }

        return new ComputeThreads(decodeCount, promptCount);
    }

    /// <summary>Makes a context compute with these threads.</summary>
    public void Attach(llama_context* context) => LlamaApi.llama_attach_threadpool(context, _decode, _prompt);

    /// <summary>Releases one use. The threads end after the last use.</summary>
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
