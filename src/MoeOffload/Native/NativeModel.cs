using System.Runtime.InteropServices;
using System.Text;
using MoeOffload.Gguf;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a loaded model and its properties.</summary>
internal sealed unsafe class NativeModel : IDisposable
{
    private const int MaxTextSize = 1 << 20;

    private NativeModel(ModelHandle handle) => Handle = handle;

    public ModelHandle Handle { get; }

    /// <summary>Loads a model on the calling thread. llama.cpp's lines go to the logger that was set with <see cref="NativeLog.Enter"/>.</summary>
    /// <exception cref="OperationCanceledException">Loading was canceled. All memory has been freed.</exception>
    /// <exception cref="ModelLoadException">llama.cpp rejected the model, or there is not enough memory.</exception>
    public static NativeModel Load(
        IReadOnlyList<string> files, ModelSettings settings, bool simulate, Action<float>? progress, CancellationToken cancellationToken)
    {
        using var scope = new NativeMemoryScope();
        llama_model_params parameters = settings.ToNative(scope);
        parameters.no_alloc = (byte)(simulate ? 1 : 0);

        var state = new ProgressState(progress, cancellationToken);
        GCHandle pin = GCHandle.Alloc(state);
        parameters.progress_callback = NativeCallbacks.Progress;
        parameters.progress_callback_user_data = (void*)GCHandle.ToIntPtr(pin);
        try
        {
            byte** paths = (byte**)scope.Allocate<nint>(files.Count);
            for (int i = 0; i < files.Count; i++)
            {
                paths[i] = scope.Text(LongPath.ForNativeCode(files[i]), "A model path");
            }

            byte* error = stackalloc byte[NativeError.BufferSize];
            llama_model* model;
            moe_status status = ShimApi.moe_model_load(paths, (nuint)files.Count, &parameters, &model, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                state.ThrowIfEnded();
                throw new ModelLoadException(NativeError.Describe($"'{files[0]}' could not be loaded", status, error));
            }

            return new NativeModel(new ModelHandle(model, NativeDevice.ServersOf(settings.Devices), settings.Experts));
        }
        finally
        {
            pin.Free();
        }
    }

    /// <summary>Gets the vocabulary, which is valid as long as the model.</summary>
    public NativeVocabulary Vocabulary => new(Handle);

    public ulong ParameterCount => Ask(&LlamaApi.llama_model_n_params);

    public ulong TensorBytes => Ask(&LlamaApi.llama_model_size);

    public int TrainedContextLength => Ask(&LlamaApi.llama_model_n_ctx_train);

    public int HeadCount => Ask(&LlamaApi.llama_model_n_head);

    public int KeyValueHeadCount => Ask(&LlamaApi.llama_model_n_head_kv);

    /// <summary>Gets a value that indicates whether layers keep a state for each sequence, instead of or in addition to a KV cache.</summary>
    public bool IsRecurrent =>
        Ask(&LlamaApi.llama_model_is_recurrent) != 0 || Ask(&LlamaApi.llama_model_is_hybrid) != 0;

    public int EmbeddingLength => Ask(&LlamaApi.llama_model_n_embd);

    public int LayerCount => Ask(&LlamaApi.llama_model_n_layer);

    public bool HasDecoder => Ask(&LlamaApi.llama_model_has_decoder) != 0;

    public bool HasEncoder => Ask(&LlamaApi.llama_model_has_encoder) != 0;

    /// <summary>Gets the number of outputs of the model's classification head, which is 1 if the model has no labels for them.</summary>
    public int ClassCount
    {
        get
        {
            using HandleUse use = new(Handle);
            return (int)LlamaApi.llama_model_n_cls_out(Handle.Pointer);
        }
    }

    /// <summary>Gets the model's properties for embeddings.</summary>
    /// <exception cref="InferenceException">The properties could not be read.</exception>
    public NativeEmbeddingInfo EmbeddingInfo
    {
        get
        {
            byte* error = stackalloc byte[NativeError.BufferSize];
            moe_embedding_info info;
            using HandleUse use = new(Handle);
            moe_status status = ShimApi.moe_model_embedding_info(Handle.Pointer, &info, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe("The model's embeddings are unknown", status, error));
            }

            var pooling = (NativePooling)info.pooling;
            return new NativeEmbeddingInfo(info.length, info.causal != 0, Enum.IsDefined(pooling) ? pooling : null);
        }
    }

    /// <summary>Gets the model's properties for multi-token prediction.</summary>
    /// <exception cref="ModelLoadException">The properties could not be read.</exception>
    public NativeMtpInfo MtpInfo
    {
        get
        {
            byte* error = stackalloc byte[NativeError.BufferSize];
            moe_mtp_info info;
            using HandleUse use = new(Handle);
            NativeCheck(ShimApi.moe_model_mtp_info(Handle.Pointer, &info, error, NativeError.BufferSize), error);
            return new NativeMtpInfo(info.n_layers, info.width, info.loaded != 0, info.computable != 0);
        }
    }

    /// <summary>Gets llama.cpp's one-line description, such as <c>phimoe 16x3.8B Q4_K - Medium</c>.</summary>
    public string Description
    {
        get
        {
            byte* buffer = stackalloc byte[256];
            using HandleUse use = new(Handle);
            return LlamaApi.llama_model_desc(Handle.Pointer, buffer, 256) < 0 ? string.Empty : Utf8.ToString(buffer);
        }
    }

    /// <summary>Reads all metadata values of the file that are not arrays.</summary>
    public Dictionary<string, string> ReadMetadata()
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        using HandleUse use = new(Handle);
        int count = LlamaApi.llama_model_meta_count(Handle.Pointer);
        for (int i = 0; i < count; i++)
        {
            string key = ReadText(i, &LlamaApi.llama_model_meta_key_by_index);
            metadata[key] = ReadText(i, &LlamaApi.llama_model_meta_val_str_by_index);
        }

        return metadata;
    }

    /// <summary>Reads the model's tensors and their actual locations.</summary>
    public List<NativeTensor> ReadTensors()
    {
        using var scope = new NativeMemoryScope();
        moe_tensor_placement* entries = ReadTensors(scope, out int count);
        List<NativeTensor> tensors = new(count);
        for (int i = 0; i < count; i++)
        {
            moe_tensor_placement* entry = entries + i;
            string device = Utf8.ToString(entry->device);
            tensors.Add(new NativeTensor(
                Utf8.ToString(entry->name),
                (GgmlType)entry->type,
                new ReadOnlySpan<long>(entry->ne, 4).ToArray(),
                (long)entry->n_bytes,
                Utf8.ToString(entry->buffer_type),
                device.Length > 0 ? device : "CPU",
                entry->is_host != 0 || NativeDevice.IsCpu(device)));
        }

        return tensors;
    }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    private moe_tensor_placement* ReadTensors(NativeMemoryScope scope, out int count)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        nuint found;
        using HandleUse use = new(Handle);
        NativeCheck(ShimApi.moe_model_tensor_count(Handle.Pointer, &found, error, NativeError.BufferSize), error);
        moe_tensor_placement* entries = scope.Allocate<moe_tensor_placement>((int)found);
        NativeCheck(ShimApi.moe_model_tensors(Handle.Pointer, entries, found, &found, error, NativeError.BufferSize), error);
        count = (int)found;
        return entries;
    }

    private static void NativeCheck(moe_status status, byte* error)
    {
        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new ModelLoadException(NativeError.Describe("The model could not be read back", status, error));
        }
    }

    private T Ask<T>(delegate*<llama_model*, T> call)
        where T : unmanaged
    {
        using HandleUse use = new(Handle);
        return call(Handle.Pointer);
    }

    private string ReadText(int index, delegate*<llama_model*, int, byte*, nuint, int> read)
    {
        byte* small = stackalloc byte[512];
        int length = read(Handle.Pointer, index, small, 512);
        if (length < 512)
        {
            return length < 0 ? string.Empty : Encoding.UTF8.GetString(small, length);
        }

        byte[] large = new byte[Math.Min(length, MaxTextSize) + 1];
        fixed (byte* buffer = large)
        {
            read(Handle.Pointer, index, buffer, (nuint)large.Length);
            return Utf8.ToString(buffer);
        }
    }

    /// <summary>Reports the progress of <see cref="Load"/>, and returns 0 to end it.</summary>
    /// <param name="progress">The part that is loaded, from 0 to 1.</param>
    /// <param name="userData">The data that was passed to native code with the callback.</param>
    public static byte ReportProgress(float progress, void* userData) =>
        (byte)(((ProgressState)GCHandle.FromIntPtr((nint)userData).Target!).Report(progress) ? 1 : 0);

    private sealed class ProgressState(Action<float>? report, CancellationToken cancellationToken)
    {
        private Exception? _failure;

        public bool Report(float progress)
        {
            if (_failure is not null || cancellationToken.IsCancellationRequested)
            {
                return false;
            }

            try
            {
                report?.Invoke(progress);
            }
            catch (Exception exception)
            {
                _failure = exception;
            }

            return _failure is null;
        }

        public void ThrowIfEnded()
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_failure is not null)
            {
                throw new ModelLoadException("Loading was ended by an exception in the progress callback.", _failure);
            }
        }
    }
}
