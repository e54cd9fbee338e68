using System.Runtime.ExceptionServices;
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
    private readonly ThreadPlacement _placement;
    private int _decodeCount;
    private int _promptCount;
    private int _uses = 1;
    private ggml_backend* _pauser;

    private ComputeThreads(int decodeCount, int promptCount, ThreadPlacement placement)
    {
        _placement = placement;
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
    /// <param name="placement">The priority and the processors of the threads.</param>
    /// <param name="others">The threads of a context that never computes at the same time, or <see langword="null"/>.</param>
    /// <exception cref="InferenceException">The threads could not be started.</exception>
    public static ComputeThreads Take(int decodeCount, int promptCount, ThreadPlacement placement, ComputeThreads? others)
    {
        if (others is not null && others._decodeCount == decodeCount && others._promptCount == promptCount && others._placement == placement)
        {
            return others.Share();
        }

        return new ComputeThreads(decodeCount, promptCount, placement);
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
        ShimApi.moe_context_use_threads(context, _decodeCount, decode, _promptCount, prompt, null, 0);
    }

    /// <summary>Makes the threads sleep until the next computation, instead of waiting actively for some time. None must run.</summary>
    public void Pause()
    {
        if (_decodeCount == 1 && _promptCount == 1)
        {
            return;
        }

        ggml_backend_device* cpu = GgmlBackendApi.ggml_backend_dev_by_type(ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU);
        fixed (byte* name = "ggml_backend_cpu_set_threadpool"u8)
        {
            var use = (delegate* unmanaged[Cdecl]<ggml_backend*, ggml_threadpool*, void>)GgmlBackendApi.ggml_backend_reg_get_proc_address(
                GgmlBackendApi.ggml_backend_dev_backend_reg(cpu), name);
            if (_pauser == null)
            {
                _pauser = GgmlBackendApi.ggml_backend_dev_init(cpu, null);
            }

            if (_pauser != null && use != null)
            {
                Pause(use, _decodeCount);
                Pause(use, _promptCount);
            }
        }
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
            _pools.Add(new Pool(count, StartPlaced(count)));
        }

        return (ggml_threadpool*)_pools[index].Address;
    }

    // New threads inherit the priority and the processors of the thread that creates them, which must not change if it is a caller's.
    private nint StartPlaced(int count)
    {
        if (count == 1 || _placement == ThreadPlacement.Default)
        {
            return (nint)Start(count);
        }

        nint pool = 0;
        ExceptionDispatchInfo? failure = null;
        var creator = new Thread(() =>
        {
            try
            {
                _placement.ApplyToCurrentThread();
                pool = (nint)Start(count);
            }
            catch (InferenceException exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        creator.Start();
        creator.Join();
        failure?.Throw();
        return pool;
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

    // A backend pauses the threads that it does not use any more. They continue when they are used again.
    private void Pause(delegate* unmanaged[Cdecl]<ggml_backend*, ggml_threadpool*, void> use, int count)
    {
        use(_pauser, Find(count));
        use(_pauser, null);
    }

    private void Free()
    {
        if (_pauser != null)
        {
            GgmlBackendApi.ggml_backend_free(_pauser);
            _pauser = null;
        }

        _pools.ForEach(static pool => ShimApi.moe_threadpool_free((ggml_threadpool*)pool.Address, null, 0));
        _pools.Clear();
    }

    private readonly record struct Pool(int Count, nint Address);
}
