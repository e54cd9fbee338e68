using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents the threads that compute on the CPU for a context. Contexts that compute alternately share them, since threads that have
/// just finished wait actively for more work and would take the cores from the other context's threads.
/// </summary>
internal sealed unsafe class ComputeThreads
{
    // Each number of threads has a pool of its own, since the threads of a pool that a computation leaves out wait actively beside it. The
    // threads of a pool that is not used sleep. It is kept: a context that shares these threads refers to its last pool until it computes.
    private readonly List<Pool> _pools = [];
    private int _decodeCount;
    private int _promptCount;
    private int _uses = 1;

    private ComputeThreads(int decodeCount, int promptCount)
    {
        _decodeCount = decodeCount;
        _promptCount = promptCount;
        try
        {
            Find(decodeCount);
            Find(promptCount);
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>Gets a number that changes if other threads are used, so that contexts must attach them again.</summary>
    public int Version { get; private set; }

    /// <summary>Gets threads for a context: those of another context, if it has equally many, or new ones. The caller must release them.</summary>
    /// <param name="decodeCount">The number of threads for single tokens.</param>
    /// <param name="promptCount">The number of threads for several tokens.</param>
    /// <param name="others">The threads of a context that never computes at the same time, or <see langword="null"/>.</param>
    /// <exception cref="InferenceException">The threads could not be started.</exception>
    public static ComputeThreads Take(int decodeCount, int promptCount, ComputeThreads? others)
    {
        if (others is not null && others._decodeCount == decodeCount && others._promptCount == promptCount)
        {
            return others.Share();
        }

        return new ComputeThreads(decodeCount, promptCount);
    }

    /// <summary>Gets these threads for another context, which never computes at the same time. The caller must release them.</summary>
    public ComputeThreads Share()
    {
        Interlocked.Increment(ref _uses);
        return this;
    }

    /// <summary>Uses another number of threads from the next <see cref="Attach"/> on.</summary>
    /// <param name="count">The number of threads.</param>
    public void Use(int count)
    {
        if (count != _decodeCount || count != _promptCount)
        {
            _decodeCount = count;
            _promptCount = count;
            Version++;
        }
    }

    /// <summary>Makes a context compute with these threads.</summary>
    /// <param name="context">The context, which is not computing.</param>
    /// <exception cref="InferenceException">The threads could not be started.</exception>
    public void Attach(llama_context* context)
    {
        ggml_threadpool* decode = Find(_decodeCount);
        ggml_threadpool* prompt = Find(_promptCount);
        LlamaApi.llama_set_n_threads(context, _decodeCount, _promptCount);
        LlamaApi.llama_attach_threadpool(context, decode, prompt);
    }

    /// <summary>Releases one use. The threads end after the last use.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            Free();
        }
    }

    private ggml_threadpool* Find(int count)
    {
        int index = _pools.FindIndex(pool => pool.Count == count);
        if (index < 0)
        {
            index = _pools.Count;
            _pools.Add(new Pool(count, (nint)Start(count)));
        }

        return (ggml_threadpool*)_pools[index].Address;
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

    private void Free()
    {
        _pools.ForEach(static pool => ShimApi.moe_threadpool_free((ggml_threadpool*)pool.Address, null, 0));
        _pools.Clear();
    }

    private readonly record struct Pool(int Count, nint Address);
}
