using System.Text;
using Microsoft.Extensions.Logging;

namespace MoeOffload;

/// <summary>Represents options for loading a model. Creating an instance does not load native libraries.</summary>
public sealed record ModelOptions
{
    /// <summary>The value of <see cref="RequireDevice"/> that stands for any device except the CPU.</summary>
    public const string AnyAccelerator = "*";

    // llama_model_kv_override has 128 bytes each for a key and a text, including the terminator.
    private const int LongestMetadata = 127;

    /// <summary>
    /// Gets the id of the model in telemetry, or <see langword="null"/> to use the name of its file without the extension. The default is
    /// <see langword="null"/>.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>
    /// Gets the rules that place tensors, which take precedence over the placement by layers, or <see cref="TensorPlacement.Auto"/>, which
    /// chooses the placement by the free memory. By default, there are no rules.
    /// </summary>
    public TensorPlacement Placement
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Placement));
    } = TensorPlacement.Default;

    /// <summary>Gets a value that specifies what happens if a placement rule matches no tensor. By default, a warning is logged.</summary>
    public UnmatchedRuleAction UnmatchedRules { get; init; }

    /// <summary>
    /// Gets the names of the devices that hold layers, in order. By default, these are the devices of <see cref="RpcServers"/>, then all
    /// GPUs. If the list is empty, only the CPU is used.
    /// </summary>
    public IReadOnlyList<string>? Devices { get; init; }

    /// <summary>
    /// Gets the addresses of RPC servers (<c>ggml-rpc-server</c>), as <c>host:port</c>. Their devices can hold layers. Use them only in
    /// trusted networks. The default is an empty list.
    /// </summary>
    public IReadOnlyList<string> RpcServers
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(RpcServers));
    } = [];

    /// <summary>
    /// Gets the name of a device that the model must use, or <see cref="AnyAccelerator"/>. If the model would not use it, loading fails
    /// instead of silently falling back to the CPU. By default, no device is required.
    /// </summary>
    public string? RequireDevice { get; init; }

    /// <summary>
    /// Gets the number of layers to place on devices, counted from the last one. The output layer counts as one more. By default, these are
    /// all layers.
    /// </summary>
    public int? GpuLayers { get; init; }

    /// <summary>Gets a value that specifies how the model is split among several devices. The default is <see cref="SplitMode.Layer"/>.</summary>
    public SplitMode? SplitMode { get; init; }

    /// <summary>Gets the proportion of the model that each device holds, in any unit. By default, it depends on the free memory.</summary>
    public IReadOnlyList<float>? TensorSplit { get; init; }

    /// <summary>Gets the zero-based index of the device that holds the whole model with <see cref="SplitMode.None"/>. The default is 0.</summary>
    public int? MainGpu { get; init; }

    /// <summary>Gets a value that specifies how weights are read into memory. The default is <see cref="LoadMode.Auto"/>.</summary>
    public LoadMode LoadMode { get; init; }

    /// <summary>
    /// Gets a value that limits the system memory of routed experts, so that models run that are larger than it: experts that are not in
    /// memory are read from the model's files when they are used. Experts that a placement rule puts on a device remain there; all others
    /// compute on the CPU, and are never rearranged. By default, all experts are loaded.
    /// </summary>
    public ExpertStorage? Experts { get; init; }

    /// <summary>
    /// Gets a value that indicates whether weights in system memory may be rearranged for the CPU. The default is <see langword="true"/>.
    /// This makes generation faster, and long prompts slower, since a GPU cannot read rearranged weights.
    /// </summary>
    public bool? Repack { get; init; }

    /// <summary>
    /// Gets a value that indicates whether weights in system memory are put in memory that is pinned for the GPU. The default is
    /// <see langword="true"/>; it takes effect with a <see cref="LoadMode"/> that does not map the file. If the value is
    /// <see langword="false"/>, the CPU computes with the weights, and they are rearranged if <see cref="Repack"/> allows it.
    /// </summary>
    public bool? PinnedHostMemory { get; init; }

    /// <summary>
    /// Gets a value that indicates whether the model's layers for multi-token prediction (MTP) are loaded, if it has any.
    /// <see cref="SpeculationOptions.UseMtpLayers"/> needs them to draft tokens. The default is <see langword="false"/>, which saves memory.
    /// </summary>
    public bool LoadMtpLayers { get; init; }

    /// <summary>
    /// Gets the path of the model's projector (mmproj), with which it takes images. The default is <see langword="null"/>: a projector beside the
    /// model is used if <see cref="FindProjector"/> is <see langword="true"/>.
    /// </summary>
    public string? ProjectorPath { get; init; }

    /// <summary>
    /// Gets a value that indicates whether a projector is looked for in the model's directory: a file with <c>mmproj</c> in its name whose other
    /// words are those of the model's name, or a file without other words if the directory has no other model. If it cannot be loaded, the model
    /// is loaded without it, and a warning is logged. The default is <see langword="true"/>.
    /// </summary>
    public bool FindProjector { get; init; } = true;

    /// <summary>
    /// Gets a value that indicates whether the projector is placed on the model's first GPU, if there is one. Otherwise, the CPU encodes
    /// images. The default is <see langword="true"/>.
    /// </summary>
    public bool ProjectorOnDevice { get; init; } = true;

    /// <summary>
    /// Gets the maximum number of tokens of an image, for projectors for which it depends on the image's size. Larger images are reduced. The
    /// default is <see langword="null"/>, the projector's own limit.
    /// </summary>
    public int? MaxImageTokens { get; init; }

    /// <summary>Gets values that replace those of the file's metadata, by key. Keys and texts can have up to 127 bytes of UTF-8.</summary>
    public IReadOnlyDictionary<string, MetadataValue> MetadataOverrides
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(MetadataOverrides));
    } = new Dictionary<string, MetadataValue>();

    /// <summary>
    /// Gets a value that indicates whether the weights are checked for invalid numbers, which reads the whole file first. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool ValidateTensors { get; init; }

    /// <summary>
    /// Gets the factory of the loggers that receive log messages. llama.cpp's messages have the category <c>MoeOffload.Native</c>; the
    /// placement of each tensor is logged at level Debug. By default, nothing is logged.
    /// </summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// Gets the chat template, as a Jinja template or <c>chatml</c> for the ChatML format. By default, the template of the model is used, and
    /// ChatML if it has none.
    /// </summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Gets the directory of the native libraries. By default, they are searched for in the directory of the application and in
    /// <c>runtimes/&lt;rid&gt;/native</c> of a referenced package, and before that in those of the plugin that this assembly is a part of; a program that was built in a checkout of MoeOffload also finds those in the
    /// checkout's <c>artifacts/native/&lt;rid&gt;</c>. Only the first load in a process uses this directory.
    /// </summary>
    public string? NativeLibraryDirectory { get; init; }

    /// <summary>Returns options that place a model as a plan says. The rules of the plan include those of these options.</summary>
    /// <param name="plan">The plan, which was made for these options.</param>
    /// <returns>The options.</returns>
    public ModelOptions WithPlan(PlacementPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return this with
        {
            Placement = plan.Placement,
            Devices = SplitMode == MoeOffload.SplitMode.None ? Devices : plan.Devices,
            GpuLayers = plan.GpuLayers,
            TensorSplit = plan.TensorSplit,
            Experts = plan.ExpertMemory is { } limit ? ExpertStorage.Limit(limit) : null,
            Plan = plan,
        };
    }

    /// <summary>Gets the plan of <see cref="WithPlan"/>, as long as the placement is still the planned one.</summary>
    internal PlacementPlan? Plan
    {
        get => field is { } plan && plan.Placement.Equals(Placement) && plan.GpuLayers == GpuLayers ? plan : null;
        init;
    }

    /// <summary>Returns the options with which a draft model is loaded: these, without what concerns the model itself.</summary>
    internal ModelOptions ForDraft() => this with
    {
        Id = null,
        Plan = null,
        MetadataOverrides = new Dictionary<string, MetadataValue>(),
        ChatTemplate = null,
        LoadMtpLayers = false,
        Experts = null,
        ProjectorPath = null,
        FindProjector = false,
    };

    /// <summary>Checks the options, as loading a model does. It uses neither the model nor the devices.</summary>
    /// <exception cref="ArgumentException">An option is not valid, or options contradict each other.</exception>
    public void Validate()
    {
        if (GpuLayers is < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(GpuLayers), GpuLayers, "The number must be 0 or more; null places all layers on devices.");
        }

        if (ProjectorPath is { Length: 0 })
        {
            throw new ArgumentException("The path is empty. Specify a file, or null.", nameof(ProjectorPath));
        }

        if (MaxImageTokens is <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MaxImageTokens), MaxImageTokens, "The number must be greater than 0; null selects the projector's own limit.");
        }

        if (MainGpu is < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(MainGpu), MainGpu, "Specify the zero-based index of the device in the list.");
        }

        if (ChatTemplate is { } template && template != "chatml" && !template.Contains('{', StringComparison.Ordinal))
        {
            throw new ArgumentException("ChatTemplate is not a Jinja template: it has no '{'. Specify the text of a template, or 'chatml'.", nameof(ChatTemplate));
        }

        OptionRange.CheckDefined(LoadMode, nameof(LoadMode));
        OptionRange.CheckDefined(UnmatchedRules, nameof(UnmatchedRules));
        OptionRange.CheckDefined(SplitMode, nameof(SplitMode));

        if (TensorSplit is { } shares && (shares.Any(share => !(share >= 0 && float.IsFinite(share))) || (shares.Count > 0 && shares.Sum() <= 0)))
        {
            throw new ArgumentOutOfRangeException(nameof(TensorSplit), "Each share must be a finite number of 0 or more, and at least one must be greater than 0.");
        }

        if (Experts is not null)
        {
            CheckExperts();
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

    private void CheckExperts()
    {
        if (LoadMode is not (LoadMode.Auto or LoadMode.None or LoadMode.DirectIo))
        {
            throw new ArgumentException(
                $"Experts that stay in the model's files cannot be combined with LoadMode.{LoadMode}, which maps or locks all of them. Use Auto, None or DirectIo.",
                nameof(Experts));
        }

        if (ValidateTensors)
        {
            throw new ArgumentException(
                "Experts that stay in the model's files cannot be combined with ValidateTensors, which reads all of them. Leave one of both out.", nameof(Experts));
        }

        if (SplitMode is MoeOffload.SplitMode.Tensor)
        {
            throw new ArgumentException(
                "Experts that stay in the model's files cannot be combined with SplitMode.Tensor, which divides them among devices. Use another mode.", nameof(Experts));
        }
    }

    private static void CheckMetadata(string key, string part, string text)
    {
        if (string.IsNullOrEmpty(text) || text.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(text) > LongestMetadata)
        {
            throw new ArgumentException(
                $"The {part} of metadata override '{key}' must have 1 to {LongestMetadata} bytes of UTF-8 without NUL, which is llama.cpp's limit.", nameof(MetadataOverrides));
        }
    }
}
