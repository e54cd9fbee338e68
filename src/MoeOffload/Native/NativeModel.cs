using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using MoeOffload.Gguf;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A loaded model, and what can be asked of it.</summary>
internal sealed unsafe class NativeModel : IDisposable
{
    private const int MaxTextSize = 1 << 20;

    private NativeModel(ModelHandle handle) => Handle = handle;

    public ModelHandle Handle { get; }

    /// <summary>Loads a model on the calling thread; its native log lines go to whoever has entered <see cref="NativeLog"/>.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while it loaded; all memory is given back.</exception>
    /// <exception cref="ModelLoadException">llama.cpp refused the model, or memory ran out.</exception>
    public static NativeModel Load(
        IReadOnlyList<string> files,
        ModelOptions options,
        IReadOnlyList<NativeDevice> devices,
        LoadMode mode,
        bool simulate,
        Action<float>? progress,
        CancellationToken cancellationToken)
    {
        using var scope = new NativeMemoryScope();
        llama_model_params parameters = LlamaApi.llama_model_default_params();
        Apply(options, devices, scope, &parameters);
        parameters.load_mode = ToNative(mode);
        parameters.no_alloc = (byte)(simulate ? 1 : 0);

        var state = new ProgressState(progress, cancellationToken);
        GCHandle pin = GCHandle.Alloc(state);
        parameters.progress_callback = &OnProgress;
        parameters.progress_callback_user_data = (void*)GCHandle.ToIntPtr(pin);
        try
        {
            byte** paths = (byte**)scope.Allocate<nint>(files.Count);
            for (int i = 0; i < files.Count; i++)
            {
                paths[i] = scope.Text(files[i], "A model path");
            }

            byte* error = stackalloc byte[NativeError.BufferSize];
            llama_model* model;
            moe_status status = ShimApi.moe_model_load(paths, (nuint)files.Count, &parameters, &model, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                state.ThrowIfEnded();
                throw new ModelLoadException(NativeError.Describe($"'{files[0]}' could not be loaded", status, error));
            }

            return new NativeModel(new ModelHandle(model, NativeDevice.ServersOf(devices)));
        }
        finally
        {
            pin.Free();
        }
    }

    /// <summary>The vocabulary, which lives as long as the model.</summary>
    public NativeVocabulary Vocabulary => new(Handle);

    public ulong ParameterCount => LlamaApi.llama_model_n_params(Handle.Pointer);

    public ulong TensorBytes => LlamaApi.llama_model_size(Handle.Pointer);

    public int TrainedContextLength => LlamaApi.llama_model_n_ctx_train(Handle.Pointer);

    public int HeadCount => LlamaApi.llama_model_n_head(Handle.Pointer);

    public int KeyValueHeadCount => LlamaApi.llama_model_n_head_kv(Handle.Pointer);

    /// <summary>Whether layers keep a state for each sequence, instead of or beside a KV cache.</summary>
    public bool IsRecurrent =>
        LlamaApi.llama_model_is_recurrent(Handle.Pointer) != 0 || LlamaApi.llama_model_is_hybrid(Handle.Pointer) != 0;

    public int EmbeddingLength => LlamaApi.llama_model_n_embd(Handle.Pointer);

    public int LayerCount => LlamaApi.llama_model_n_layer(Handle.Pointer);

    public bool HasDecoder => LlamaApi.llama_model_has_decoder(Handle.Pointer) != 0;

    public bool HasEncoder => LlamaApi.llama_model_has_encoder(Handle.Pointer) != 0;

    /// <summary>What the model says about embeddings.</summary>
    /// <exception cref="InferenceException">llama.cpp could not tell.</exception>
    public moe_embedding_info EmbeddingInfo
    {
        get
        {
            byte* error = stackalloc byte[NativeError.BufferSize];
            moe_embedding_info info;
            moe_status status = ShimApi.moe_model_embedding_info(Handle.Pointer, &info, error, NativeError.BufferSize);
            return status == moe_status.MOE_STATUS_OK
                ? info
                : throw new InferenceException(NativeError.Describe("The model's embeddings are unknown", status, error));
        }
    }

    /// <summary>What the model has for multi-token prediction.</summary>
    /// <exception cref="ModelLoadException">llama.cpp could not tell.</exception>
    public moe_mtp_info MtpInfo
    {
        get
        {
            byte* error = stackalloc byte[NativeError.BufferSize];
            moe_mtp_info info;
            NativeCheck(ShimApi.moe_model_mtp_info(Handle.Pointer, &info, error, NativeError.BufferSize), error);
            return info;
        }
    }

    /// <summary>llama.cpp's one-line description, such as <c>phimoe 16x3.8B Q4_K - Medium</c>.</summary>
    public string Description
    {
        get
        {
            byte* buffer = stackalloc byte[256];
            return LlamaApi.llama_model_desc(Handle.Pointer, buffer, 256) < 0 ? string.Empty : Utf8.ToString(buffer);
        }
    }

    /// <summary>All metadata values of the file that are not arrays.</summary>
    public Dictionary<string, string> ReadMetadata()
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        int count = LlamaApi.llama_model_meta_count(Handle.Pointer);
        for (int i = 0; i < count; i++)
        {
            string key = ReadText(i, &LlamaApi.llama_model_meta_key_by_index);
            metadata[key] = ReadText(i, &LlamaApi.llama_model_meta_val_str_by_index);
        }

        return metadata;
    }

    /// <summary>Type and dimensions of each tensor of the model.</summary>
    public Dictionary<string, (GgmlType Type, long[] Dimensions)> ReadShapes()
    {
        using var scope = new NativeMemoryScope();
        moe_tensor_placement* entries = ReadTensors(scope, out int count);
        var shapes = new Dictionary<string, (GgmlType, long[])>(count, StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            long[] dimensions = new ReadOnlySpan<long>(entries[i].ne, 4).ToArray();
            shapes[Utf8.ToString(entries[i].name)] = ((GgmlType)entries[i].type, dimensions);
        }

        return shapes;
    }

    /// <summary>Where each tensor of the model truly lies.</summary>
    public List<TensorLocation> ReadPlacement(Func<string, int?> ruleOf)
    {
        using var scope = new NativeMemoryScope();
        moe_tensor_placement* entries = ReadTensors(scope, out int count);
        List<TensorLocation> locations = new(count);
        for (int i = 0; i < count; i++)
        {
            moe_tensor_placement* entry = entries + i;
            string name = Utf8.ToString(entry->name);
            string device = Utf8.ToString(entry->device);
            locations.Add(new TensorLocation(
                name,
                (GgmlType)entry->type,
                (long)entry->n_bytes,
                Utf8.ToString(entry->buffer_type),
                device.Length > 0 ? device : "CPU",
                entry->is_host != 0 || NativeDevice.IsCpu(device),
                ruleOf(name)));
        }

        return locations;
    }

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();

    private moe_tensor_placement* ReadTensors(NativeMemoryScope scope, out int count)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        nuint found;
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

    private static llama_load_mode ToNative(LoadMode mode) => mode switch
    {
        LoadMode.Mmap => llama_load_mode.LLAMA_LOAD_MODE_MMAP,
        LoadMode.Mlock => llama_load_mode.LLAMA_LOAD_MODE_MLOCK,
        LoadMode.MmapMlock => llama_load_mode.LLAMA_LOAD_MODE_MMAP_MLOCK,
        LoadMode.DirectIo => llama_load_mode.LLAMA_LOAD_MODE_DIRECT_IO,
        LoadMode.None => llama_load_mode.LLAMA_LOAD_MODE_NONE,
        _ => llama_load_mode.LLAMA_LOAD_MODE_AUTO,
    };

    private static void Apply(
        ModelOptions options, IReadOnlyList<NativeDevice> devices, NativeMemoryScope scope, llama_model_params* parameters)
    {
        ggml_backend_device** list = (ggml_backend_device**)scope.Allocate<nint>(devices.Count + 1);
        for (int i = 0; i < devices.Count; i++)
        {
            list[i] = devices[i].Pointer;
        }

        parameters->devices = list;
        if (options.GpuLayers is { } layers)
        {
            parameters->n_gpu_layers = layers;
        }

        if (options.SplitMode is { } split)
        {
            parameters->split_mode = split switch
            {
                SplitMode.None => llama_split_mode.LLAMA_SPLIT_MODE_NONE,
                SplitMode.Row => llama_split_mode.LLAMA_SPLIT_MODE_ROW,
                SplitMode.Tensor => llama_split_mode.LLAMA_SPLIT_MODE_TENSOR,
                _ => llama_split_mode.LLAMA_SPLIT_MODE_LAYER,
            };
        }

        if (options.MainGpu is { } main)
        {
            if (main >= Math.Max(devices.Count, 1))
            {
                throw new PlacementException($"MainGpu is {main}, but the model has {devices.Count} devices: use 0 to {devices.Count - 1}.");
            }

            parameters->main_gpu = main;
        }

        if (options.TensorSplit is { Count: > 0 } shares)
        {
            int room = (int)LlamaApi.llama_max_devices();
            if (shares.Count > room)
            {
                throw new PlacementException($"TensorSplit has {shares.Count} shares; llama.cpp takes at most {room} devices.");
            }

            parameters->tensor_split = scope.Allocate<float>(room);
            shares.ToArray().CopyTo(new Span<float>(parameters->tensor_split, room));
        }

        if (options.Placement.Rules.Count > 0)
        {
            parameters->tensor_buft_overrides = NativePlacement.ToNative(options.Placement, devices, scope);
        }

        if (options.Repack is { } repack)
        {
            parameters->use_extra_bufts = (byte)(repack ? 1 : 0);
        }

        if (options.PinnedHostMemory is { } pinned)
        {
            parameters->no_host = (byte)(pinned ? 0 : 1);
        }

        parameters->load_mtp = (byte)(options.LoadMtpLayers ? 1 : 0);
        parameters->check_tensors = (byte)(options.ValidateTensors ? 1 : 0);
        if (options.MetadataOverrides.Count > 0)
        {
            parameters->kv_overrides = MetadataOverride.ToNative(options.MetadataOverrides, scope);
        }
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

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnProgress(float progress, void* userData) =>
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
                throw new ModelLoadException("The load was ended by an exception of its progress callback.", _failure);
            }
        }
    }
}
