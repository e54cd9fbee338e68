using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;
using MoeOffload.Inference;
using MoeOffload.Inference.Speculation;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Native.Generated;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>A loaded model. Safe to use from several threads; its memory is given back once it and its sessions are disposed.</summary>
public sealed class MoeModel : IDisposable
{
    private const double Mebibyte = 1024 * 1024;

    private readonly ModelOptions _options;
    private readonly bool _expertsOffloaded;
    private readonly string[] _devices;
    private readonly ILogger _logger;
    private readonly ILogger _nativeLogger;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _metadata;
    private readonly Lazy<string> _fingerprint;
    private readonly Lazy<TokenPieces> _pieces;
    private readonly Lazy<TokenPieces> _specialPieces;
    private readonly Lazy<ChatTemplate> _chatTemplate;
    private volatile bool _isDisposed;

    private MoeModel(string path, ModelOptions options, ModelLoader loader, NativeModel native)
    {
        _options = options;
        _expertsOffloaded = loader.ExpertsOffloaded;
        _devices = loader.DeviceNames;
        Native = native;
        Path = path;
        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        _logger = loggers.CreateLogger<MoeModel>();
        _nativeLogger = loggers.CreateLogger(NativeLog.Category);
        _metadata = new Lazy<IReadOnlyDictionary<string, string>>(ReadMetadata);
        _fingerprint = new Lazy<string>(() => ModelFingerprint.Of(path, options.MetadataOverrides), LazyThreadSafetyMode.PublicationOnly);
        _pieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: false));
        _specialPieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: true));
        _chatTemplate = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(this, null, _nativeLogger));
        Placement = loader.Report(native);
        Info = ReadInfo();
        Vocabulary = new Vocabulary(this);
        Log(_logger);
    }

    /// <summary>The file that was loaded, or the first of its parts.</summary>
    public string Path { get; }

    /// <summary>What the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>Where each tensor truly lies, read back from the loaded model, and what each placement rule did.</summary>
    public PlacementReport Placement { get; }

    /// <summary>Text to tokens and back.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>The file's metadata as text, overrides applied, arrays left out.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before this was first read.</exception>
    public IReadOnlyDictionary<string, string> Metadata => _metadata.Value;

    /// <summary>The model's own chat template, parsed when it is first asked for.</summary>
    /// <exception cref="ChatTemplateException">It does not parse; the message says where and why.</exception>
    /// <exception cref="NotSupportedException">The model has none.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed before this was first read.</exception>
    public ChatTemplate ChatTemplate => _chatTemplate.Value;

    internal NativeModel Native { get; }

    /// <summary>Whether its layers for multi-token prediction were to be loaded.</summary>
    internal bool LoadsMtpLayers => _options.LoadMtpLayers;

    /// <summary>Tells the model's files from any others; they are read when it is first asked for.</summary>
    internal string Fingerprint => _fingerprint.Value;

    /// <summary>Loads a model without blocking the caller.</summary>
    /// <param name="path">A GGUF file; of a split model, its first part.</param>
    /// <param name="options">How to load; null takes the defaults.</param>
    /// <param name="progress">Told how far the load is, from 0 to 1, on the loading thread.</param>
    /// <param name="cancellationToken">Ends the load; all memory is given back.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The file cannot be read, is a folder, or does not exist (<see cref="FileNotFoundException"/>).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="GgufFormatException">The file is damaged or not a model.</exception>
    /// <exception cref="PlacementException">A rule, device, buffer or server is unknown or cannot be honoured.</exception>
    /// <exception cref="NativeLibraryException">The native libraries are missing or of another version.</exception>
    /// <exception cref="ModelLoadException">llama.cpp refused the model, or memory ran out.</exception>
    /// <exception cref="OperationCanceledException">The load was cancelled.</exception>
    public static Task<MoeModel> LoadAsync(
        string path, ModelOptions? options = null, IProgress<float>? progress = null, CancellationToken cancellationToken = default) =>
        Task.Factory.StartNew(
            () => Load(path, options, progress, cancellationToken),
            cancellationToken,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    /// <summary>Loads a model and waits for it.</summary>
    /// <inheritdoc cref="LoadAsync"/>
    public static MoeModel Load(
        string path, ModelOptions? options = null, IProgress<float>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ModelOptions();
        ModelLoader loader = ModelLoader.Prepare(path, options);
        NativeModel native = loader.Load(simulate: false, progress, cancellationToken);
        try
        {
            return new MoeModel(path, options, loader, native);
        }
        catch
        {
            native.Dispose();
            throw;
        }
    }

    /// <summary>Counts what a model and a context would take of each device's memory, without reading or reserving any of it.</summary>
    /// <param name="path">A GGUF file; of a split model, its first part.</param>
    /// <param name="options">How it would be loaded; null takes the defaults.</param>
    /// <param name="context">The context it would get; null takes the defaults.</param>
    /// <inheritdoc cref="LoadAsync" path="/exception"/>
    public static MemoryBreakdown EstimateMemory(string path, ModelOptions? options = null, ContextOptions? context = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        context ??= new ContextOptions();
        context.Validate();
        return EstimateMemory(path, options ?? new ModelOptions(), context, embeds: false);
    }

    /// <summary>The devices that this machine, and the RPC servers that were used so far, offer.</summary>
    /// <param name="options">Where the native libraries are and which RPC servers to ask; null takes the defaults.</param>
    /// <exception cref="NativeLibraryException">The native libraries are missing or of another version.</exception>
    /// <exception cref="PlacementException">An RPC server cannot be reached.</exception>
    public static IReadOnlyList<DeviceInfo> ListDevices(ModelOptions? options = null)
    {
        options ??= new ModelOptions();
        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        NativeRuntime.EnsureLoaded(options.NativeLibraryDirectory, loggers.CreateLogger(NativeLog.Category));
        foreach (string server in options.RpcServers)
        {
            NativeRuntime.AddServer(server);
        }

        return [.. NativeDevice.All().Select(device => device.Describe())];
    }

    /// <summary>The native libraries that this process uses; they are loaded if they were not yet.</summary>
    /// <param name="options">Where the native libraries are; null takes the defaults.</param>
    /// <exception cref="NativeLibraryException">The native libraries are missing or of another version.</exception>
    public static RuntimeInfo DescribeRuntime(ModelOptions? options = null)
    {
        ILoggerFactory loggers = options?.LoggerFactory ?? NullLoggerFactory.Instance;
        NativeRuntime.EnsureLoaded(options?.NativeLibraryDirectory, loggers.CreateLogger(NativeLog.Category));
        return NativeRuntime.Describe();
    }

    /// <summary>Makes a context to generate in. Takes as long as reserving its memory does.</summary>
    /// <param name="options">Length, KV cache, threads; null takes the defaults.</param>
    /// <exception cref="ArgumentException">
    /// An option is out of its range, options contradict each other, or a dense model is asked to count experts.
    /// </exception>
    /// <exception cref="InferenceException">llama.cpp refused the context, or memory ran out.</exception>
    /// <exception cref="NotSupportedException">The model cannot continue a text, or the options ask for what it cannot do.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public GenerationSession CreateSession(ContextOptions? options = null)
    {
        options ??= new ContextOptions();
        options.Validate();
        using Use use = Enter();
        GenerationSession session = GenerationSession.Create(this, Prepare(options), _nativeLogger);
        Log(session);
        return session;
    }

    /// <summary>Makes a context without blocking the caller.</summary>
    /// <param name="options">Length, KV cache, threads; null takes the defaults.</param>
    /// <inheritdoc cref="CreateSession" path="/exception"/>
    public Task<GenerationSession> CreateSessionAsync(ContextOptions? options = null) =>
        Task.Factory.StartNew(
            () => CreateSession(options), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <summary>Makes a context that turns texts into embeddings. Takes as long as reserving its memory does.</summary>
    /// <param name="options">Pooling, lengths, threads; null takes the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InferenceException">llama.cpp refused the context, or memory ran out.</exception>
    /// <exception cref="NotSupportedException">The model has an encoder and a decoder of its own, as T5.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Embedder CreateEmbedder(EmbeddingOptions? options = null)
    {
        options ??= new EmbeddingOptions();
        options.Validate();
        using Use use = Enter();
        if (Native.HasEncoder)
        {
            throw new NotSupportedException($"'{Path}' ({Info.Architecture}) has an encoder of its own kind: its embeddings are not supported.");
        }

        moe_embedding_info info = Native.EmbeddingInfo;
        ContextOptions context = options.ToContext(Info.TrainedContextLength, info.causal != 0, Native.IsRecurrent, _expertsOffloaded);
        return Embedder.Create(this, options, FittingParameters(context, embeds: true), info, _nativeLogger);
    }

    /// <summary>Loads a LoRA adapter of the model: its factors are read into memory beside the tensors that they change.</summary>
    /// <param name="path">A GGUF file, as llama.cpp's <c>convert_lora_to_gguf.py</c> makes it.</param>
    /// <exception cref="IOException">The file cannot be read, is a folder, or does not exist (<see cref="FileNotFoundException"/>).</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="GgufFormatException">The file is damaged or no LoRA adapter.</exception>
    /// <exception cref="ModelLoadException">It is an adapter of another model, llama.cpp refused it, or memory ran out.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public LoraAdapter LoadAdapter(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        GgufFile file = GgufFile.Open(path);
        using Use use = Enter();
        IReadOnlyList<string> targets = LoraCheck.Validate(file, Info.Architecture, Native.ReadShapes());
        long bytes = AdapterMemory.Check(file, Placement, Devices());
        AdapterHandle handle = AdapterHandle.Load(Native.Handle, path, _nativeLogger);
        file.Metadata.TryGetString(GgufKeys.Name, out string name);
        ModelLog.AdapterLoaded(_logger, path, targets.Count, file.Tensors.Count - (2 * targets.Count));
        return new LoraAdapter(this, path, name, targets, bytes, handle);
    }

    /// <summary>Loads a LoRA adapter without blocking the caller.</summary>
    /// <inheritdoc cref="LoadAdapter"/>
    public Task<LoraAdapter> LoadAdapterAsync(string path) => Task.Factory.StartNew(
        () => LoadAdapter(path), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <summary>Parses a chat template to use with this model in place of its own.</summary>
    /// <param name="source">A Jinja template, or <c>chatml</c> for the format of that name.</param>
    /// <exception cref="ArgumentException">The template is empty, or has a NUL character.</exception>
    /// <exception cref="ChatTemplateException">It does not parse; the message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ChatTemplate ParseChatTemplate(string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return ChatTemplate.Parse(this, source, _nativeLogger);
    }

    /// <summary>Gives the model's memory back; sessions and embedders that are still open keep it, and go on, until they are disposed.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Native.Dispose();
    }

    /// <summary>Keeps the native model from being freed until disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal Use Enter() => new(this);

    /// <summary>Copies adapters that a session of this model can take.</summary>
    /// <exception cref="ArgumentException">One is of another model or there twice, or a scale is no finite number.</exception>
    internal IReadOnlyList<ScaledAdapter> CheckAdapters(IReadOnlyList<ScaledAdapter> adapters)
    {
        ArgumentNullException.ThrowIfNull(adapters);
        ScaledAdapter[] copy = [.. adapters];
        foreach ((LoraAdapter adapter, float scale) in copy)
        {
            ArgumentNullException.ThrowIfNull(adapter, nameof(adapters));
            if (adapter.Model != this)
            {
                throw new ArgumentException($"The adapter '{adapter.Path}' was loaded with another model: load it with this one.", nameof(adapters));
            }

            if (!float.IsFinite(scale))
            {
                throw new ArgumentOutOfRangeException(nameof(adapters), scale, $"The scale of '{adapter.Path}' must be a finite number.");
            }
        }

        return copy.Select(item => item.Adapter).Distinct().Count() == copy.Length
            ? copy
            : throw new ArgumentException("An adapter is there twice: give it once, with the sum of its scales.", nameof(adapters));
    }

    /// <summary>Resolves options for this model, and checks that such a context fits.</summary>
    internal ContextParameters Prepare(ContextOptions options)
    {
        if (!Native.HasDecoder || Native.HasEncoder)
        {
            throw new NotSupportedException($"'{Path}' ({Info.Architecture}) is not a decoder-only model: it cannot continue a text.");
        }

        if (options.CountExperts && !Info.IsMixtureOfExperts)
        {
            throw new ArgumentException(
                $"'{Path}' ({Info.Architecture}) is a dense model, without experts to count: leave CountExperts off.", nameof(ContextOptions.CountExperts));
        }

        return FittingParameters(options, embeds: false);
    }

    internal TokenPieces Pieces(bool special) => special ? _specialPieces.Value : _pieces.Value;

    private static MemoryBreakdown EstimateMemory(string path, ModelOptions options, ContextOptions context, bool embeds)
    {
        ModelLoader loader = ModelLoader.Prepare(path, options);
        using NativeModel native = loader.Load(simulate: true, progress: null, CancellationToken.None);
        if (context.ContextLength > 0)
        {
            return EstimateMemory(loader, native, context, embeds);
        }

        // The weights in each memory are known only beside a context.
        MemoryBreakdown shortest = EstimateMemory(loader, native, context with { ContextLength = DefaultContextLength.Shortest(native.TrainedContextLength) }, embeds);
        ContextOptions sized = ContextLengthDefault.Resolve(
            context, native, loader.HeadLength, DescribeDevices(loader.DeviceNames), shortest.Devices.ToDictionary(use => use.Device, use => use.WeightBytes));
        return sized.ContextLength <= shortest.ContextLength ? shortest : EstimateMemory(loader, native, sized, embeds);
    }

    private static MemoryBreakdown EstimateMemory(ModelLoader loader, NativeModel native, ContextOptions context, bool embeds)
    {
        var parameters = new ContextParameters(context, loader.ExpertsOffloaded, embeds);
        ContextMemoryCheck.CheckCells(native, parameters);
        using NativeContext simulated = NativeContext.Create(native.Handle, parameters, loader.NativeLogger);
        List<MemoryUse> uses = simulated.ReadMemory();
        if (context.Speculation is { UseMtpLayers: true } && native.MtpInfo is { loaded: not 0, computable: not 0 })
        {
            using NativeContext layers = NativeContext.Create(native.Handle, parameters.OfMtp(), loader.NativeLogger);
            uses.AddRange(MtpLayers.ReadMemory(layers));
        }

        return new MemoryBreakdown(uses, simulated.ContextLength);
    }

    private ContextParameters FittingParameters(ContextOptions options, bool embeds)
    {
        int headLength = Number($"{Info.Architecture}.attention.key_length");
        DeviceInfo[] devices = Devices();
        ContextOptions sized = ContextLengthDefault.Resolve(
            options, Native, headLength, devices, Placement.Devices.ToDictionary(total => total.Device, total => total.Bytes));
        var parameters = new ContextParameters(sized, _expertsOffloaded, embeds);
        ContextMemoryCheck.Check(
            Native,
            parameters,
            headLength,
            devices,
            length => EstimateMemory(Path, _options, sized with { ContextLength = length }, embeds));
        return parameters;
    }

    private DeviceInfo[] Devices() => DescribeDevices(_devices);

    private static DeviceInfo[] DescribeDevices(string[] names) =>
        [.. NativeDevice.All().Where(device => names.Contains(device.Name)).Select(device => device.Describe())];

    private Dictionary<string, string> ReadMetadata()
    {
        using Use use = Enter();
        Dictionary<string, string> metadata = Native.ReadMetadata();

        // llama.cpp takes overrides where it reads a value, but lists the file's own.
        foreach ((string key, MetadataValue value) in _options.MetadataOverrides)
        {
            metadata[key] = value.ToString();
        }

        return metadata;
    }

    private ModelInfo ReadInfo()
    {
        string architecture = Metadata.GetValueOrDefault("general.architecture", string.Empty);
        return new ModelInfo
        {
            Architecture = architecture,
            Name = Metadata.GetValueOrDefault("general.name", string.Empty),
            Description = Native.Description,
            ParameterCount = (long)Native.ParameterCount,
            TensorBytes = (long)Native.TensorBytes,
            LayerCount = Native.LayerCount,
            MtpLayerCount = Native.MtpInfo.n_layers,
            EmbeddingLength = Native.EmbeddingLength,
            TrainedContextLength = Native.TrainedContextLength,
            ExpertCount = Number($"{architecture}.expert_count"),
            ExpertUsedCount = Number($"{architecture}.expert_used_count"),
        };
    }

    private int Number(string key) =>
        int.TryParse(Metadata.GetValueOrDefault(key), NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : 0;

    private void Log(GenerationSession session)
    {
        foreach (MemoryUse use in session.Memory.Devices)
        {
            ModelLog.ContextHolds(
                _logger, session.ContextLength, session.SequenceCount, use.ContextBytes / Mebibyte, use.ComputeBytes / Mebibyte, use.Device);
        }
    }

    private void Log(ILogger logger)
    {
        ModelLog.Loaded(logger, Path, Info.Architecture, Info.ParameterCount, Info.ExpertCount, Info.ExpertUsedCount);
        foreach (BufferTotal buffer in Placement.Buffers)
        {
            ModelLog.BufferHolds(
                logger, buffer.Buffer, buffer.Device, buffer.TensorCount, buffer.Bytes / Mebibyte, buffer.ExpertTensorCount, buffer.ExpertBytes / Mebibyte);
        }

        for (int i = 0; i < Placement.Rules.Count; i++)
        {
            RuleOutcome outcome = Placement.Rules[i];
            ModelLog.RuleMoved(logger, i + 1, outcome.Rule.Pattern, outcome.Rule.Buffer, outcome.TensorCount, outcome.Bytes / Mebibyte);
        }
    }

    internal readonly ref struct Use
    {
        private readonly ModelHandle _handle;

        public Use(MoeModel model)
        {
            // A handle that sessions still hold takes references after it was disposed.
            ObjectDisposedException.ThrowIf(model._isDisposed, model);
            bool added = false;
            model.Native.Handle.DangerousAddRef(ref added);
            _handle = model.Native.Handle;
        }

        public void Dispose() => _handle.DangerousRelease();
    }
}
