using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>How a decode ended.</summary>
internal enum DecodeResult
{
    /// <summary>All tokens are in the KV cache.</summary>
    Done,

    /// <summary>The KV cache has no room for them; it is as it was before.</summary>
    NoRoom,

    /// <summary>Ended by <see cref="NativeContext.RequestStop"/>; micro-batches that were finished stay in the KV cache.</summary>
    Stopped,
}

/// <summary>A context with its KV cache, threads and batch. Used by one thread at a time, but for <see cref="RequestStop"/>.</summary>
internal sealed unsafe class NativeContext : IDisposable
{
    // What llama_decode returns where its abort callback ended it.
    private const int Stopped = 2;

    private readonly ContextHandle _handle;
    private readonly ComputeThreads _threads;
    private readonly llama_token_data* _scratch;
    private readonly ContextAdapters _adapters;
    private readonly int* _stop;
    private volatile bool _abandoned;
    private bool _hasPendingUpdate;

    private NativeContext(ContextHandle handle, bool isMtp, int* stop, ComputeThreads threads)
    {
        NativeMemoryScope memory = handle.Memory;
        _adapters = handle.Adapters;
        _handle = handle;
        _stop = stop;
        _threads = threads;
        llama_context* context = handle.Pointer;
        ContextLength = (int)LlamaApi.llama_n_ctx(context);
        SequenceLength = (int)LlamaApi.llama_n_ctx_seq(context);
        BatchSize = (int)LlamaApi.llama_n_batch(context);
        MicroBatchSize = (int)LlamaApi.llama_n_ubatch(context);
        int canShift;
        byte* error = stackalloc byte[NativeError.BufferSize];
        Check(ShimApi.moe_memory_can_shift(context, &canShift, error, NativeError.BufferSize), error, "The KV cache could not be looked at");
        llama_model* model = LlamaApi.llama_get_model(context);
        CanForgetParts = isMtp || (LlamaApi.llama_model_is_recurrent(model) == 0 && LlamaApi.llama_model_is_hybrid(model) == 0);
        RollbackLength = CanForgetParts ? int.MaxValue : (int)LlamaApi.llama_n_rs_seq(context);
        CanShift = canShift != 0 && CanForgetParts;
        WindowLength = LlamaApi.llama_model_n_swa(model);
        VocabularySize = LlamaApi.llama_vocab_n_tokens(LlamaApi.llama_model_get_vocab(model));
        HiddenWidth = LlamaApi.llama_model_n_embd_out(model);
        _scratch = memory.Allocate<llama_token_data>(VocabularySize);
        Batch = new NativeBatch(memory, BatchSize, isMtp ? HiddenWidth : 0);
    }

    /// <summary>Cells of the KV cache, over all sequences.</summary>
    public int ContextLength { get; }

    /// <summary>Tokens that one sequence can hold.</summary>
    public int SequenceLength { get; }

    /// <summary>Most tokens of one decode.</summary>
    public int BatchSize { get; }

    /// <summary>Most tokens that are computed at once.</summary>
    public int MicroBatchSize { get; }

    /// <summary>Tokens in the vocabulary, and so logits of one position.</summary>
    public int VocabularySize { get; }

    /// <summary>Whether it remembers sequences from one decode to the next; an encoder does not.</summary>
    public bool HasMemory
    {
        get
        {
            using HandleUse use = new(_handle);
            return LlamaApi.llama_get_memory(Pointer) != null;
        }
    }

    /// <summary>Whether a sequence can be cut back to any earlier position; a recurrent state cannot.</summary>
    public bool CanForgetParts { get; }

    /// <summary>How many positions at its end a sequence can always be cut back by.</summary>
    public int RollbackLength { get; }

    /// <summary>Whether positions can be moved, see <see cref="Discard"/>.</summary>
    public bool CanShift { get; }

    /// <summary>How many positions layers with sliding-window attention look back; 0 where there are none.</summary>
    public int WindowLength { get; }

    /// <summary>Floats of one hidden state.</summary>
    public int HiddenWidth { get; }

    /// <summary>What the next decode computes.</summary>
    public NativeBatch Batch { get; }

    /// <summary>Tokens in the batch that is being filled.</summary>
    public int BatchCount => Batch.Count;

    /// <summary>Who keeps up with its sequences, or null.</summary>
    public ISequenceFollower? Follower { get; set; }

    /// <summary>Replaces the status of each native call: tests make calls fail with it. Null in production.</summary>
    public Func<moe_status, moe_status>? FaultInjection { get; set; }

    // No call begins on an abandoned context, so that a thread which was abandoned with it and comes back goes no further.
    private llama_context* Pointer
    {
        get
        {
            ThrowIfAbandoned();
            return _handle.Pointer;
        }
    }

    /// <summary>Makes a context.</summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">What the context is made of.</param>
    /// <param name="logger">Told what llama.cpp logs.</param>
    /// <param name="adapters">The LoRA adapters that are wanted at any time.</param>
    /// <param name="counter">Where it counts the experts that are chosen; null counts none.</param>
    /// <param name="inTurnsWith">A context that never computes at the same time, whose threads this one may use too.</param>
    /// <exception cref="InferenceException">llama.cpp refused it, memory ran out, or an RPC server of the model was lost.</exception>
    public static NativeContext Create(
        ModelHandle model,
        ContextSettings settings,
        ILogger logger,
        AdapterSlot? adapters = null,
        ExpertCounter? counter = null,
        NativeContext? inTurnsWith = null)
    {
        if (model.IsLost)
        {
            throw new InferenceException($"RPC server {string.Join(", ", model.Servers)} of this model was lost: load the model again from another server.");
        }

        NativeContext? context = null;
        bool finished = RpcServers.Run(
            model.Servers,
            () =>
            {
                using (NativeLog.Enter(logger))
                {
                    context = Create(model, settings, adapters, counter, inTurnsWith?._threads);
                }
            },
            out string reason);
        return finished ? context! : throw new InferenceException($"RPC server {string.Join(", ", model.Servers)} was lost: {reason}");
    }

    private static NativeContext Create(
        ModelHandle model, ContextSettings settings, AdapterSlot? adapters, ExpertCounter? counter, ComputeThreads? othersThreads)
    {
        var handle = new ContextHandle(model, counter, new ContextAdapters(model, adapters));
        try
        {
            int* stop = handle.Memory.Allocate<int>(1);
            llama_context_params native = settings.ToNative();
            native.abort_callback = (delegate* unmanaged[Cdecl]<void*, byte>)NativeLibraries.AbortWhenSet;
            native.abort_callback_data = stop;
            if (counter is not null)
            {
                native.cb_eval = (delegate* unmanaged[Cdecl]<ggml_tensor*, byte, void*, byte>)NativeLibraries.CountExperts;
                native.cb_eval_user_data = counter.Pointer;
            }

            byte* error = stackalloc byte[NativeError.BufferSize];
            llama_context* context;
            model.AdapterGate.Wait();
            moe_status status = ShimApi.moe_context_init(model.Pointer, &native, &context, error, NativeError.BufferSize);
            model.AdapterGate.Release();
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe("The context could not be made", status, error));
            }

            handle.Attach(context);
            ComputeThreads threads = ComputeThreads.Take(native.n_threads, native.n_threads_batch, othersThreads);
            handle.Attach(threads);
            return new NativeContext(handle, settings.IsMtp, stop, threads);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Adds a token to the batch.</summary>
    public void Add(int token, int position, int sequence, bool wantsLogits) => Batch.Add(token, position, sequence, wantsLogits);

    /// <summary>Empties the batch.</summary>
    public void ClearBatch() => Batch.Clear();

    /// <summary>Computes the batch.</summary>
    /// <exception cref="InferenceException">The computation failed; after <see cref="NativeAbortException"/> the context is unusable.</exception>
    public DecodeResult Decode()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        int result = 0;
        using HandleUse use = new(_handle);
        ApplyAdapters();
        _adapters.Enter();
        llama_batch batch = Batch.Native;
        NativeLog.BeginStoppable(_stop);
        moe_status status = ShimApi.moe_decode(Pointer, &batch, &result, error, NativeError.BufferSize);
        NativeLog.EndStoppable(isStopped: status == moe_status.MOE_STATUS_OK && result == Stopped);
        _adapters.Leave(isBatchRefused: result == -1);
        Check(status, error, "The computation failed");
        _hasPendingUpdate &= result < 0;
        if (result == 0)
        {
            Follower?.OnDecoded(this);
        }

        return result switch
        {
            0 => DecodeResult.Done,
            1 => DecodeResult.NoRoom,
            Stopped => DecodeResult.Stopped,
            _ => throw new InferenceException(Failure(result)),
        };
    }

    /// <summary>Has each later <see cref="Decode"/> keep hidden states: those of all tokens, or of those of which logits are wanted.</summary>
    public void KeepHidden(bool all)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(
            ShimApi.moe_hidden_keep(Pointer, (byte)(all ? 1 : 0), error, NativeError.BufferSize), error, "Hidden states cannot be kept");
    }

    /// <summary>The hidden states of all tokens of the batch, until the next <see cref="Decode"/>; <c>HiddenRowOrder</c> says in which order.</summary>
    public ReadOnlySpan<float> HiddenRows()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        float* rows;
        Check(ShimApi.moe_hidden_rows(Pointer, &rows, error, NativeError.BufferSize), error, "No hidden states");
        return new ReadOnlySpan<float>(rows, checked(BatchCount * HiddenWidth));
    }

    /// <summary>Copies the hidden state of the batch's index-th token, where only those with logits are kept.</summary>
    public void CopyHidden(int index, Span<float> row)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        fixed (float* target = row)
        {
            Check(
                ShimApi.moe_hidden_row(Pointer, index, target, (nuint)row.Length, error, NativeError.BufferSize),
                error,
                "No hidden state");
        }
    }

    /// <summary>Chooses which of the layers for multi-token prediction computes, from 0.</summary>
    public void SelectMtpLayer(int layer)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(ShimApi.moe_mtp_select(Pointer, layer, error, NativeError.BufferSize), error, "No such layer");
    }

    /// <summary>Takes over the LoRA adapters that are wanted now. <see cref="Decode"/> does so too.</summary>
    /// <returns>Whether they are others than before: what is in the KV cache was computed with those.</returns>
    public bool ApplyAdapters()
    {
        using HandleUse use = new(_handle);
        return _adapters.Apply(Pointer);
    }

    /// <summary>Makes a running or the next <see cref="Decode"/> end early where it can: CPU work between operations, all else between micro-batches.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed, and the memory that says so freed.</exception>
    public void RequestStop()
    {
        using HandleUse use = new(_handle);
        Volatile.Write(ref *_stop, 1);
    }

    /// <summary>Takes <see cref="RequestStop"/> back.</summary>
    public void ClearStop()
    {
        using HandleUse use = new(_handle);
        Volatile.Write(ref *_stop, 0);
    }

    /// <summary>Forgets a sequence's tokens from a position on.</summary>
    /// <returns>False where the cache cannot forget a part of a sequence.</returns>
    public bool Remove(int sequence, int fromPosition)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        int removed;
        Check(
            ShimApi.moe_memory_remove(Pointer, sequence, fromPosition, &removed, error, NativeError.BufferSize),
            error,
            "The KV cache could not be cleared");
        if (removed != 0)
        {
            Follower?.OnRemoved(sequence, fromPosition);
        }

        return removed != 0;
    }

    /// <summary>Makes a sequence hold what another one holds.</summary>
    public void Copy(int source, int target)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(ShimApi.moe_memory_copy(Pointer, source, target, error, NativeError.BufferSize), error, "The KV cache could not be copied");
        _hasPendingUpdate = true;
        Follower?.OnCopied(source, target);
    }

    /// <summary>Forgets the positions from <paramref name="from"/> up to <paramref name="to"/> and moves later ones down to fill the gap.</summary>
    /// <returns>False where the cache cannot do that, and nothing was done.</returns>
    public bool Discard(int sequence, int from, int to)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        int moved;
        Check(
            ShimApi.moe_memory_discard(Pointer, sequence, from, to, &moved, error, NativeError.BufferSize),
            error,
            "The KV cache could not be shifted");
        _hasPendingUpdate |= moved != 0;
        if (moved != 0)
        {
            Follower?.OnDiscarded(sequence, from, to);
        }

        return moved != 0;
    }

    /// <summary>The first position of a sequence whose cells are there, as all later ones are; -1 where it is empty.</summary>
    public int FirstPosition(int sequence)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        int min;
        int max;
        Check(
            ShimApi.moe_memory_range(Pointer, sequence, &min, &max, error, NativeError.BufferSize),
            error,
            "The KV cache could not be looked at");
        return min;
    }

    /// <summary>How many bytes <see cref="ReadState"/> needs.</summary>
    public long StateSize(int sequence)
    {
        Update();
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        nuint size;
        Check(ShimApi.moe_state_size(Pointer, sequence, &size, error, NativeError.BufferSize), error, "No state");
        return (long)size;
    }

    /// <summary>Copies what the KV cache holds of a sequence.</summary>
    /// <returns>The number of bytes.</returns>
    public long ReadState(int sequence, NativeBuffer target)
    {
        Update();
        using HandleUse room = new(target);
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        nuint written;
        Check(
            ShimApi.moe_state_get(Pointer, sequence, target.Pointer, (nuint)target.Length, &written, error, NativeError.BufferSize),
            error,
            "The state could not be read");
        return (long)written;
    }

    /// <summary>Makes a sequence hold what <see cref="ReadState"/> has copied.</summary>
    /// <returns>False where there is no room for it; the sequence is then empty.</returns>
    public bool TryWriteState(int sequence, NativeBuffer source)
    {
        Update();
        using HandleUse state = new(source);
        Follower?.OnRemoved(sequence, 0);
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        moe_status status = ShimApi.moe_state_set(
            Pointer, sequence, source.Pointer, (nuint)source.Length, error, NativeError.BufferSize);
        if (status == moe_status.MOE_STATUS_FAILED)
        {
            ThrowIfAbandoned();
            NativeLog.TakeErrors();
            return false;
        }

        Check(status, error, "The state could not be written");
        return true;
    }

    /// <summary>Samples and accepts a token from the logits of the batch's index-th token; -1 is the last.</summary>
    /// <exception cref="ObjectDisposedException">The sampler or the context was freed, since the generation was given up.</exception>
    public int Sample(int index, NativeSampler sampler)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        int token;
        using HandleUse use = new(_handle);
        using HandleUse chain = new(sampler.Chain);
        using HandleUse grammar = new(sampler.Grammar);
        moe_status status = ShimApi.moe_sample(
            Pointer,
            index,
            sampler.Chain is null ? null : sampler.Chain.Pointer,
            sampler.Grammar is null ? null : sampler.Grammar.Pointer,
            _scratch,
            (nuint)VocabularySize,
            &token,
            error,
            NativeError.BufferSize);
        Check(status, error, "No token could be sampled");
        return token;
    }

    /// <summary>The log-probability of a token, and of the best alternatives as many as <paramref name="top"/> holds.</summary>
    public float LogProbability(int index, int token, Span<(int Token, float LogProbability)> top)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        moe_token_logprob* best = stackalloc moe_token_logprob[top.Length];
        float probability;
        Check(
            ShimApi.moe_logprobs(Pointer, index, token, &probability, best, (nuint)top.Length, error, NativeError.BufferSize),
            error,
            "No log-probabilities");
        for (int i = 0; i < top.Length; i++)
        {
            top[i] = (best[i].token, best[i].logprob);
        }

        return probability;
    }

    /// <summary>Copies the logits of the batch's index-th token.</summary>
    public void CopyLogits(int index, Span<float> logits)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        fixed (float* target = logits)
        {
            Check(
                ShimApi.moe_logits(Pointer, index, target, (nuint)logits.Length, error, NativeError.BufferSize),
                error,
                "No logits");
        }
    }

    /// <summary>Copies the embeddings of <paramref name="count"/> tokens of the batch, from the first-th on.</summary>
    public void CopyEmbeddings(int first, int count, Span<float> rows)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        fixed (float* target = rows)
        {
            Check(
                ShimApi.moe_embeddings(Pointer, first, count, target, (nuint)rows.Length, error, NativeError.BufferSize),
                error,
                "No embeddings");
        }
    }

    /// <summary>What each buffer type holds for this context and its model.</summary>
    public List<NativeMemoryUse> ReadMemory()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        nuint count;
        const string What = "The memory breakdown could not be read";
        Check(ShimApi.moe_memory_breakdown(Pointer, null, 0, &count, error, NativeError.BufferSize), error, What);
        moe_memory_entry[] entries = new moe_memory_entry[(int)count];
        fixed (moe_memory_entry* room = entries)
        {
            Check(ShimApi.moe_memory_breakdown(Pointer, room, count, &count, error, NativeError.BufferSize), error, What);
            List<NativeMemoryUse> result = [];
            for (int i = 0; i < entries.Length; i++)
            {
                string device = Utf8.ToString(room[i].device);
                result.Add(new NativeMemoryUse(
                    Utf8.ToString(room[i].buffer_type),
                    device.Length > 0 ? device : "CPU",
                    room[i].is_host != 0 || NativeDevice.IsCpu(device),
                    (long)room[i].model,
                    (long)room[i].context,
                    (long)room[i].compute));
            }

            return result;
        }
    }

    /// <summary>Gives the context up: its memory and threads are never freed, since something may still be using them.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _handle.Abandon();
        _adapters.GiveUp();
    }

    /// <summary>Frees the context with its threads and memory, once no call uses them any more; nothing of one that was given up.</summary>
    public void Dispose() => _handle.Dispose();

    // Cells that wait for the next decode to be copied or rotated hold the wrong values until then.
    private void Update()
    {
        if (_hasPendingUpdate)
        {
            ClearStop();
            byte* error = stackalloc byte[NativeError.BufferSize];
            using HandleUse use = new(_handle);
            Check(ShimApi.moe_memory_update(Pointer, error, NativeError.BufferSize), error, "The KV cache could not be updated");
            _hasPendingUpdate = false;
        }
    }

    private static string Failure(int result)
    {
        string reason = result switch
        {
            -1 => "llama.cpp refused the batch",
            -2 => "no memory for the computation",
            _ => $"llama.cpp's decode returned {result}",
        };
        return $"The computation failed: {string.Join(Environment.NewLine, [reason, .. NativeLog.TakeErrors()])}";
    }

    private void Check(moe_status status, byte* error, string what)
    {
        status = FaultInjection is { } inject ? inject(status) : status;
        ThrowIfAbandoned();
        if (status == moe_status.MOE_STATUS_ABORTED)
        {
            Abandon();
            throw new NativeAbortException(NativeError.Describe(what, status, error));
        }

        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new InferenceException(NativeError.Describe(what, status, error));
        }
    }

    private void ThrowIfAbandoned()
    {
        if (_abandoned)
        {
            throw new NativeAbortException("The context was abandoned: a computation in it does not end, or was aborted.");
        }
    }
}
