using System.Text;
using Microsoft.Extensions.Logging;

namespace MoeOffload;

/// <summary>How a model is loaded. Plain data: making one calls nothing. Null takes the default that is said.</summary>
public sealed record ModelOptions
{
    /// <summary>For <see cref="RequireDevice"/>: any device but the CPU.</summary>
    public const string AnyAccelerator = "*";

    // llama_model_kv_override has 128 bytes each for a key and a text, terminator included.
    private const int LongestMetadata = 127;

    /// <summary>Which tensors go where, before llama.cpp's own layout by layers. Default: none.</summary>
    public TensorPlacement Placement { get; init; } = TensorPlacement.Default;

    /// <summary>What to do about a placement rule that matches no tensor. Default: a warning.</summary>
    public UnmatchedRules UnmatchedRules { get; init; }

    /// <summary>
    /// The devices that hold layers, by name, in order. Default: those of <see cref="RpcServers"/>, then all GPUs. Empty: the CPU alone.
    /// </summary>
    public IReadOnlyList<string>? Devices { get; init; }

    /// <summary>RPC servers (<c>ggml-rpc-server</c>) as <c>host:port</c>, whose devices can hold layers like a GPU's. Trusted networks only.</summary>
    public IReadOnlyList<string> RpcServers { get; init; } = [];

    /// <summary>
    /// A device that the model must really use, or <see cref="AnyAccelerator"/>; otherwise the load fails instead of falling back to the
    /// CPU in silence. Default: none.
    /// </summary>
    public string? RequireDevice { get; init; }

    /// <summary>How many layers, the last ones first, lie on devices; the output layer counts as one more. Default: all.</summary>
    public int? GpuLayers { get; init; }

    /// <summary>How the model is spread over several devices. Default: by layers.</summary>
    public SplitMode? SplitMode { get; init; }

    /// <summary>Each device's share, in any unit. Default: by free memory.</summary>
    public IReadOnlyList<float>? TensorSplit { get; init; }

    /// <summary>The device, from 0, that holds everything with <see cref="SplitMode.None"/>. Default: the first.</summary>
    public int? MainGpu { get; init; }

    /// <summary>How weights get into memory. Default: the fastest for offloaded experts.</summary>
    public LoadMode LoadMode { get; init; }

    /// <summary>
    /// Whether weights in system memory may be rearranged for the CPU. Default: true. Generation gains; large prompts lose, since a GPU
    /// cannot read rearranged weights.
    /// </summary>
    public bool? Repack { get; init; }

    /// <summary>
    /// Whether weights in system memory lie in memory pinned for the GPU. Default: true, with a <see cref="LoadMode"/> other than mapping.
    /// False leaves them to the CPU, rearranged where <see cref="Repack"/> allows.
    /// </summary>
    public bool? PinnedHostMemory { get; init; }

    /// <summary>
    /// Whether the layers for multi-token prediction (MTP) are loaded, where the model has some; <see cref="SpeculationOptions.UseMtpLayers"/>
    /// guesses tokens with them. Default: false, they take no memory.
    /// </summary>
    public bool LoadMtpLayers { get; init; }

    /// <summary>Values that replace those of the file's metadata, by key.</summary>
    public IReadOnlyDictionary<string, MetadataValue> MetadataOverrides { get; init; } = new Dictionary<string, MetadataValue>();

    /// <summary>Whether the weights themselves are checked for invalid numbers. Default: false. Reads the whole file first.</summary>
    public bool ValidateTensors { get; init; }

    /// <summary>
    /// Where logs go. llama.cpp's own lines come under the category <c>MoeOffload.Native</c>, each tensor's move at level Debug. Default:
    /// nowhere.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// Gets the directory of the native libraries. By default, they are searched in the directory of the application and in
    /// <c>runtimes/&lt;rid&gt;/native</c> of a referenced package; a program that was built in a checkout of MoeOffload also finds those in the
    /// checkout's <c>artifacts/native/&lt;rid&gt;</c>. The first load in a process decides.
    /// </summary>
    public string? NativeLibraryDirectory { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Placement);
        ArgumentNullException.ThrowIfNull(RpcServers);
        ArgumentNullException.ThrowIfNull(MetadataOverrides);
        if (GpuLayers is < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(GpuLayers), GpuLayers, "Use 0 or more; null puts all layers on devices.");
        }

        if (MainGpu is < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MainGpu), MainGpu, "Use the device's position in the list, from 0.");
        }

        OptionRange.CheckDefined(LoadMode, nameof(LoadMode));
        OptionRange.CheckDefined(UnmatchedRules, nameof(UnmatchedRules));
        OptionRange.CheckDefined(SplitMode, nameof(SplitMode));

        if (TensorSplit is { } shares && (shares.Any(share => !(share >= 0 && float.IsFinite(share))) || (shares.Count > 0 && shares.Sum() <= 0)))
        {
            throw new ArgumentOutOfRangeException(nameof(TensorSplit), "Give each device a finite share of 0 or more, and at least one more than 0.");
        }

        if (Devices is { } devices && (devices.Any(string.IsNullOrWhiteSpace) || devices.Distinct(StringComparer.OrdinalIgnoreCase).Count() != devices.Count))
        {
            throw new ArgumentException("A device's name is empty or appears twice.", nameof(Devices));
        }

        foreach ((string key, MetadataValue value) in MetadataOverrides)
        {
            CheckMetadata(key, "key", key);
            CheckMetadata(key, "value", value.Value is string text ? text : "-");
            if (value.Value is null)
            {
                throw new ArgumentException($"The metadata override '{key}' has no value.", nameof(MetadataOverrides));
            }
        }
    }

    private static void CheckMetadata(string key, string part, string text)
    {
        if (string.IsNullOrEmpty(text) || text.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(text) > LongestMetadata)
        {
            throw new ArgumentException(
                $"The {part} of metadata override '{key}' must be 1 to {LongestMetadata} bytes of UTF-8 without NUL, as llama.cpp takes it.", nameof(MetadataOverrides));
        }
    }
}
