using System.Text;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents the settings for loading a model. A property that is <see langword="null"/> leaves llama.cpp's default.</summary>
internal sealed unsafe record ModelSettings
{
    // llama_model_kv_override has 128 bytes for each text, including the terminator.
    private const int TextSize = 127;

    /// <summary>Gets the maximum number of devices that llama.cpp can split a model among.</summary>
    public static int MaxDevices => (int)LlamaApi.llama_max_devices();

    /// <summary>Gets the maximum number of rules that llama.cpp accepts.</summary>
    public static int MaxRules => (int)LlamaApi.llama_max_tensor_buft_overrides() - 1;

    public required IReadOnlyList<NativeDevice> Devices { get; init; }

    public required NativeLoadMode LoadMode { get; init; }

    public int? GpuLayers { get; init; }

    public NativeSplitMode? SplitMode { get; init; }

    public int? MainGpu { get; init; }

    public IReadOnlyList<float> TensorSplit { get; init; } = [];

    /// <summary>Gets the buffers of tensors by patterns of their names. The first match applies.</summary>
    public IReadOnlyList<(string Pattern, NativeBufferType Buffer)> Rules { get; init; } = [];

    /// <summary>Gets the experts that stay in the model's files, or <see langword="null"/> if there are none.</summary>
    public ExpertStoreHandle? Experts { get; init; }

    /// <summary>Gets the patterns of the tensors that hold these experts. They take precedence over <see cref="Rules"/>.</summary>
    public IReadOnlyList<string> ExpertPatterns { get; init; } = [];

    public bool? Repack { get; init; }

    public bool? PinnedHostMemory { get; init; }

    public bool LoadMtpLayers { get; init; }

    public bool ValidateTensors { get; init; }

    /// <summary>Gets a value that indicates whether only the vocabulary is loaded.</summary>
    public bool VocabularyOnly { get; init; }

    /// <summary>Gets the values that replace those of the file's metadata: integers, floating-point numbers, Boolean values and strings.</summary>
    public IReadOnlyDictionary<string, object> MetadataOverrides { get; init; } = new Dictionary<string, object>();

    /// <summary>Converts the settings to llama.cpp's parameters.</summary>
    /// <param name="scope">The memory that the parameters point to.</param>
    public llama_model_params ToNative(NativeMemoryScope scope)
    {
        llama_model_params parameters = LlamaApi.llama_model_default_params();
        parameters.load_mode = (llama_load_mode)LoadMode;
        parameters.devices = (ggml_backend_device**)scope.Allocate<nint>(Devices.Count + 1);
        for (int i = 0; i < Devices.Count; i++)
        {
            parameters.devices[i] = Devices[i].Pointer;
        }

        parameters.n_gpu_layers = GpuLayers ?? parameters.n_gpu_layers;
        parameters.split_mode = (llama_split_mode?)SplitMode ?? parameters.split_mode;
        parameters.main_gpu = MainGpu ?? parameters.main_gpu;
        if (TensorSplit.Count > 0)
        {
            parameters.tensor_split = scope.Allocate<float>(MaxDevices);
            TensorSplit.ToArray().CopyTo(new Span<float>(parameters.tensor_split, MaxDevices));
        }

        if (Rules.Count + ExpertPatterns.Count > 0)
        {
            parameters.tensor_buft_overrides = WriteRules(scope);
        }

        parameters.use_extra_bufts = Repack is { } repack ? (byte)(repack ? 1 : 0) : parameters.use_extra_bufts;
        parameters.no_host = PinnedHostMemory is { } pinned ? (byte)(pinned ? 0 : 1) : parameters.no_host;
        parameters.load_mtp = (byte)(LoadMtpLayers ? 1 : 0);
        parameters.vocab_only = (byte)(VocabularyOnly ? 1 : 0);
        parameters.check_tensors = (byte)(ValidateTensors ? 1 : 0);
        if (MetadataOverrides.Count > 0)
        {
            parameters.kv_overrides = WriteOverrides(scope);
        }

        return parameters;
    }

    // An empty rule ends the list.
    private llama_model_tensor_buft_override* WriteRules(NativeMemoryScope scope)
    {
        llama_model_tensor_buft_override* rules = scope.Allocate<llama_model_tensor_buft_override>(ExpertPatterns.Count + Rules.Count + 1);
        llama_model_tensor_buft_override* next = rules;
        foreach (string pattern in ExpertPatterns)
        {
            next->pattern = scope.Text(pattern, "A placement pattern");
            next++->buft = Experts!.Pointer;
        }

        foreach ((string pattern, NativeBufferType buffer) in Rules)
        {
            next->pattern = scope.Text(pattern, "A placement pattern");
            next++->buft = buffer.Pointer;
        }

        return rules;
    }

    // An override with an empty key ends the list.
    private llama_model_kv_override* WriteOverrides(NativeMemoryScope scope)
    {
        llama_model_kv_override* entries = scope.Allocate<llama_model_kv_override>(MetadataOverrides.Count + 1);
        int i = 0;
        foreach ((string key, object value) in MetadataOverrides)
        {
            llama_model_kv_override* entry = entries + i++;
            Encoding.UTF8.GetBytes(key, new Span<byte>(entry->key, TextSize));
            switch (value)
            {
                case long integer:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_INT;
                    entry->Anonymous.val_i64 = integer;
                    break;
                case double number:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_FLOAT;
                    entry->Anonymous.val_f64 = number;
                    break;
                case bool truth:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_BOOL;
                    entry->Anonymous.val_bool = (byte)(truth ? 1 : 0);
                    break;
                default:
                    entry->tag = llama_model_kv_override_type.LLAMA_KV_OVERRIDE_TYPE_STR;
                    Encoding.UTF8.GetBytes((string)value, new Span<byte>(entry->Anonymous.val_str, TextSize));
                    break;
            }
        }

        return entries;
    }
}
