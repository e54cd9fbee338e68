using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Specifies how a decode ended.</summary>
internal enum DecodeResult
{
    /// <summary>All tokens are in the KV cache.</summary>
    Done,

    /// <summary>The KV cache has no room for the tokens, and is unchanged.</summary>
    NoRoom,

    /// <summary><see cref="NativeContext.RequestStop"/> ended the decode. Finished micro-batches remain in the KV cache.</summary>
    Stopped,
}

/// <summary>
/// Represents a context with its KV cache, threads and batch. Only one thread at a time can use it, except for <see cref="RequestStop"/>.
/// </summary>
internal sealed unsafe class NativeContext : IDisposable
{
    // llama_decode's results if the KV cache has no room, in which case it computes nothing, and if its abort callback ended it.
    private const int NoRoom = 1;
    private const int Stopped = 2;

    private readonly ContextHandle _handle;
    private ComputeThreads _threads;
    private readonly llama_token_data* _scratch;
    private readonly ContextAdapters _adapters;
    private readonly int* _stop;
    private int _threadsVersion;
    private volatile bool _abandoned;
    private bool _hasPendingUpdate;
    private int _embeddingCount;

    private NativeContext(ContextHandle handle, bool isMtp, int* stop, ComputeThreads threads)
    {
        NativeMemoryScope memory = handle.Memory;
        _adapters = handle.Adapters;
        _handle = handle;
        _stop = stop;
        _threads = threads;
        _threadsVersion = threads.Version;
        llama_context* context = handle.Pointer;
        ContextLength = (int)LlamaApi.llama_n_ctx(context);
        SequenceLength = (int)LlamaApi.llama_n_ctx_seq(context);
        BatchSize = (int)LlamaApi.llama_n_batch(context);
        MicroBatchSize = (int)LlamaApi.llama_n_ubatch(context);
        int canShift;
        byte* error = stackalloc byte[NativeError.BufferSize];
        Check(ShimApi.moe_memory_can_shift(context, &canShift, error, NativeError.BufferSize), error, "The KV cache could not be examined");
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

    /// <summary>Gets the number of cells in the KV cache, over all sequences.</summary>
    public int ContextLength { get; }

    /// <summary>Gets the number of tokens that a sequence can hold.</summary>
    public int SequenceLength { get; }

    /// <summary>Gets the maximum number of tokens in a decode.</summary>
    public int BatchSize { get; }

    /// <summary>Gets the maximum number of tokens that are computed at once.</summary>
    public int MicroBatchSize { get; }

    /// <summary>Gets the number of tokens in the vocabulary, which is the number of logits of a position.</summary>
    public int VocabularySize { get; }

    /// <summary>Gets a value that indicates whether the context keeps sequences from one decode to the next; an encoder does not.</summary>
    public bool HasMemory
    {
        get
        {
            using HandleUse use = new(_handle);
            return LlamaApi.llama_get_memory(Pointer) != null;
        }
    }

    /// <summary>Gets a value that indicates whether a sequence can be rolled back to any earlier position; a recurrent state cannot.</summary>
    public bool CanForgetParts { get; }

    /// <summary>Gets the number of positions by which a sequence can always be rolled back.</summary>
    public int RollbackLength { get; }

    /// <summary>Gets a value that indicates whether positions can be moved, as <see cref="Discard"/> does.</summary>
    public bool CanShift { get; }

    /// <summary>Gets the length of the attention's sliding window, in positions, or 0 if there is none.</summary>
    public int WindowLength { get; }

    /// <summary>Gets the number of floats in a hidden state.</summary>
    public int HiddenWidth { get; }

    /// <summary>Gets the number of threads that computed the last decode of a single token.</summary>
    public int ThreadCount
    {
        get
        {
            using HandleUse use = new(_handle);
            return LlamaApi.llama_n_threads(Pointer);
        }
    }

    /// <summary>Gets the batch of the next decode.</summary>
    public NativeBatch Batch { get; }

    /// <summary>Gets the number of tokens in the batch, or of embeddings if the last decode computed those.</summary>
    public int BatchCount => _embeddingCount > 0 ? _embeddingCount : Batch.Count;

    /// <summary>Gets or sets the follower of the context's sequences, or <see langword="null"/>.</summary>
    public ISequenceFollower? Follower { get; set; }

    /// <summary>Gets or sets a function that replaces the status of each native call, for tests. It is <see langword="null"/> in production.</summary>
    public Func<moe_status, moe_status>? FaultInjection { get; set; }

    // No call begins on an abandoned context, so that a thread that was abandoned with it and returns does not continue.
    private llama_context* Pointer
    {
        get
        {
            ThrowIfAbandoned();
            return _handle.Pointer;
        }
    }

    /// <summary>Creates a context.</summary>
    /// <param name="model">The model.</param>
    /// <param name="settings">The settings of the context.</param>
    /// <param name="logger">The logger for llama.cpp's messages.</param>
    /// <param name="adapters">The selected LoRA adapters.</param>
    /// <param name="counter">The counter of chosen experts, or <see langword="null"/> to count none.</param>
    /// <param name="inTurnsWith">A context that never computes at the same time, whose threads this one can share.</param>
    /// <exception cref="InferenceException">llama.cpp rejected the settings, there is not enough memory, or an RPC server of the model was lost.</exception>
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
                native.cb_eval = counter.Callback;
                native.cb_eval_user_data = counter.CallbackData;
            }

            byte* error = stackalloc byte[NativeError.BufferSize];
            llama_context* context;
            model.AdapterGate.Wait();
            moe_status status = ShimApi.moe_context_init(model.Pointer, &native, &context, error, NativeError.BufferSize);
            model.AdapterGate.Release();
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe("The context could not be created", status, error));
            }

            handle.Attach(context);
            ComputeThreads threads = ComputeThreads.Take(native.n_threads, native.n_threads_batch, settings.Placement, othersThreads);
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

    /// <summary>Removes all tokens from the batch.</summary>
    public void ClearBatch() => Batch.Clear();

    /// <summary>Sets the number of threads of later decodes, for all contexts that share the threads of this one.</summary>
    /// <param name="count">The number of threads.</param>
    public void UseThreads(int count) => _threads.Use(count);

    /// <summary>Computes with the threads of another context, which never computes at the same time, from the next decode on.</summary>
    /// <exception cref="InferenceException">The threads could not be started.</exception>
    public void ShareThreads(NativeContext other)
    {
        if (_threads == other._threads)
        {
            return;
        }

        using HandleUse use = new(_handle);
        ThrowIfAbandoned();
        _threads = other._threads;
        _threadsVersion = _threads.Version;
        _handle.Attach(_threads.Share());
    }

    /// <summary>Makes the threads sleep until the next decode, instead of waiting actively for some time.</summary>
    public void PauseThreads()
    {
        using HandleUse use = new(_handle);
        _threads.Pause();
    }

    /// <summary>Computes the batch.</summary>
    /// <exception cref="InferenceException">The computation failed. If the inner exception is a <see cref="NativeAbortException"/>, the context is unusable.</exception>
    public DecodeResult Decode()
    {
        _embeddingCount = 0;
        llama_batch batch = Batch.Native;
        return Compute(&batch, isCausal: true);
    }

    /// <summary>Computes embeddings of an image instead of a batch of tokens.</summary>
    /// <param name="embeddings">A row for each embedding.</param>
    /// <param name="positions">The positions, in the order of <see cref="NativePrompt.ReadPositions"/>.</param>
    /// <param name="count">The number of embeddings.</param>
    /// <param name="sequence">The sequence.</param>
    /// <param name="isCausal"><see langword="false"/> if the embeddings attend to each other in both directions.</param>
    /// <param name="wantsLogits"><see langword="true"/> to compute the logits of the last embedding.</param>
    /// <inheritdoc cref="Decode" path="/exception"/>
    public DecodeResult DecodeEmbeddings(
        ReadOnlySpan<float> embeddings, ReadOnlySpan<int> positions, int count, int sequence, bool isCausal, bool wantsLogits)
    {
        using var memory = new NativeMemoryScope();
        llama_batch batch = default;
        batch.n_tokens = count;
        batch.n_seq_id = memory.Allocate<int>(count);
        batch.seq_id = (int**)memory.Allocate<nint>(count);
        batch.logits = memory.Allocate<sbyte>(count);
        batch.logits[count - 1] = (sbyte)(wantsLogits ? 1 : 0);
        for (int i = 0; i < count; i++)
        {
            batch.n_seq_id[i] = 1;
            batch.seq_id[i] = &sequence;
        }

        Batch.Clear();
        _embeddingCount = count;
        fixed (float* rows = embeddings)
        {
            fixed (int* places = positions)
            {
                batch.embd = rows;
                batch.pos = places;
                return Compute(&batch, isCausal);
            }
        }
    }

    private DecodeResult Compute(llama_batch* batch, bool isCausal)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        int result = 0;
        using HandleUse use = new(_handle);
        _adapters.Apply(Pointer);
        AttachThreads();
        _adapters.Enter();
        NativeLog.BeginStoppable(_stop);
        moe_status status = batch->embd != null && batch->token == null
            ? ShimApi.moe_decode_embeddings(Pointer, batch, (byte)(isCausal ? 1 : 0), &result, error, NativeError.BufferSize)
            : ShimApi.moe_decode(Pointer, batch, &result, error, NativeError.BufferSize);
        NativeLog.EndStoppable(isStopped: status == moe_status.MOE_STATUS_OK && result == Stopped);
        _adapters.Leave(isBatchRefused: result == -1);
        if (_handle.Counter is { } counter && result != NoRoom)
        {
            counter.OnStep(batch->n_tokens, CountOutputs(batch), status == moe_status.MOE_STATUS_OK && result == 0);
        }

        Check(status, error, "The computation failed");
        _handle.OnComputed();
        _hasPendingUpdate &= result < 0;
        if (result == 0)
        {
            Follower?.OnDecoded(this);
        }

        return result switch
        {
            0 => DecodeResult.Done,
            NoRoom => DecodeResult.NoRoom,
            Stopped => DecodeResult.Stopped,
            _ => throw new InferenceException(Failure(result, Utf8.ToString(error))),
        };
    }

    private static int CountOutputs(llama_batch* batch)
    {
        int count = 0;
        for (int i = 0; i < batch->n_tokens; i++)
        {
            count += batch->logits[i] != 0 ? 1 : 0;
        }

        return count;
    }

    private void AttachThreads()
    {
        if (_threadsVersion != _threads.Version)
        {
            _threads.Attach(Pointer);
            _threadsVersion = _threads.Version;
        }
    }

    /// <summary>Makes each later <see cref="Decode"/> keep the hidden states of all tokens, or of the tokens with logits.</summary>
    public void KeepHidden(bool all)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(
            ShimApi.moe_hidden_keep(Pointer, (byte)(all ? 1 : 0), error, NativeError.BufferSize), error, "Hidden states cannot be kept");
    }

    /// <summary>Gets the hidden states of all tokens in the batch, valid until the next <see cref="Decode"/>, in the order that <c>HiddenRowOrder</c> describes.</summary>
    public ReadOnlySpan<float> HiddenRows()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        float* rows;
        Check(ShimApi.moe_hidden_rows(Pointer, &rows, error, NativeError.BufferSize), error, "The hidden states could not be read");
        return new ReadOnlySpan<float>(rows, checked(BatchCount * HiddenWidth));
    }

    /// <summary>Copies the hidden state of a token in the batch, if only those of tokens with logits are kept.</summary>
    public void CopyHidden(int index, Span<float> row)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        fixed (float* target = row)
        {
            Check(
                ShimApi.moe_hidden_row(Pointer, index, target, (nuint)row.Length, error, NativeError.BufferSize),
                error,
                "The hidden state could not be read");
        }
    }

    /// <summary>Selects the layer for multi-token prediction that computes, by its zero-based index.</summary>
    public void SelectMtpLayer(int layer)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(ShimApi.moe_mtp_select(Pointer, layer, error, NativeError.BufferSize), error, "The layer could not be selected");
    }

    /// <summary>Applies the LoRA adapters that are selected now, as <see cref="Decode"/> does.</summary>
    /// <returns><see langword="true"/> if the adapters differ from those that the KV cache was computed with; otherwise, <see langword="false"/>.</returns>
    public bool ApplyAdapters()
    {
        using HandleUse use = new(_handle);
        _adapters.Apply(Pointer);
        return _adapters.TakeChange();
    }

    /// <summary>Makes the current or next <see cref="Decode"/> end early: between operations on the CPU, and between micro-batches elsewhere.</summary>
    /// <exception cref="ObjectDisposedException">The context has been freed.</exception>
    public void RequestStop()
    {
        using HandleUse use = new(_handle);
        Volatile.Write(ref *_stop, 1);
    }

    /// <summary>Cancels the effect of <see cref="RequestStop"/>.</summary>
    public void ClearStop()
    {
        using HandleUse use = new(_handle);
        Volatile.Write(ref *_stop, 0);
    }

    /// <summary>Removes a sequence's tokens from a position on.</summary>
    /// <returns><see langword="false"/> if the cache cannot remove a part of a sequence; otherwise, <see langword="true"/>.</returns>
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

    /// <summary>Copies a sequence to another one.</summary>
    public void Copy(int source, int target)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        Check(ShimApi.moe_memory_copy(Pointer, source, target, error, NativeError.BufferSize), error, "The KV cache could not be copied");
        _hasPendingUpdate = true;
        Follower?.OnCopied(source, target);
    }

    /// <summary>Removes the positions from <paramref name="from"/> up to <paramref name="to"/>, and moves later ones down to fill the gap.</summary>
    /// <returns><see langword="false"/> if the cache does not support this and nothing was changed; otherwise, <see langword="true"/>.</returns>
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

    /// <summary>Gets the first position of a sequence from which on all cells exist, or -1 if the sequence is empty.</summary>
    public int FirstPosition(int sequence)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        int min;
        int max;
        Check(
            ShimApi.moe_memory_range(Pointer, sequence, &min, &max, error, NativeError.BufferSize),
            error,
            "The KV cache could not be examined");
        return min;
    }

    /// <summary>Gets the number of bytes that <see cref="ReadState"/> needs.</summary>
    public long StateSize(int sequence)
    {
        Update();
        byte* error = stackalloc byte[NativeError.BufferSize];
        using HandleUse use = new(_handle);
        nuint size;
        Check(ShimApi.moe_state_size(Pointer, sequence, &size, error, NativeError.BufferSize), error, "No state");
        return (long)size;
    }

    /// <summary>Copies the KV cache of a sequence.</summary>
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

    /// <summary>Restores what <see cref="ReadState"/> copied into a sequence.</summary>
    /// <returns><see langword="false"/> if there is not enough room, in which case the sequence is empty; otherwise, <see langword="true"/>.</returns>
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

    /// <summary>Samples and accepts a token from the logits of the token at an index in the batch. -1 stands for the last one.</summary>
    /// <exception cref="ObjectDisposedException">The sampler or the context has been freed, since the generation was abandoned.</exception>
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

    /// <summary>Gets the log-probability of a token, and fills <paramref name="top"/> with the most probable tokens.</summary>
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

    /// <summary>Copies the logits of the token at an index in the batch.</summary>
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

    /// <summary>Copies the embeddings of <paramref name="count"/> tokens of the batch, from index <paramref name="first"/> on.</summary>
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

    /// <summary>Copies the result of a sequence of the batch from a context that pools.</summary>
    /// <exception cref="InferenceException">The batch had no such sequence.</exception>
    public void CopyPooled(int sequence, Span<float> values)
    {
        using HandleUse use = new(_handle);
        ThrowIfAbandoned();

        // The computation has ended, and the function only finds its result, so it needs no guard of the shim.
        float* result = LlamaApi.llama_get_embeddings_seq(Pointer, sequence);
        if (result == null)
        {
            throw new InferenceException($"llama.cpp has no result for the text {sequence} of the batch.");
        }

        new ReadOnlySpan<float>(result, values.Length).CopyTo(values);
    }

    /// <summary>Gets the memory that this context and its model use in each buffer type.</summary>
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

    /// <summary>Frees the context with its threads and memory as soon as no call uses them. An abandoned context is never freed.</summary>
    public void Dispose() => _handle.Dispose();

    // Cells whose copy or rotation is deferred to the next decode hold wrong values until then.
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

    private static string Failure(int result, string cause)
    {
        string reason = result switch
        {
            _ when cause.Length > 0 => cause,
            -1 => "llama.cpp rejected the batch",
            -2 => "there is not enough memory for the computation",
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
