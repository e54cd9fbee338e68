using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>A loaded model. Safe to use from several threads; its memory is given back once it and its sessions are disposed.</summary>
public sealed class MoeModel : IDisposable
{
    private readonly ModelOptions _options;
    private readonly bool _expertsOffloaded;
    private readonly string[] _devices;
    private readonly ILogger _nativeLogger;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _metadata;
    private readonly Lazy<string> _fingerprint;
    private readonly Lazy<TokenPieces> _pieces;
    private readonly Lazy<TokenPieces> _specialPieces;

    private MoeModel(string path, ModelOptions options, ModelLoader loader, NativeModel native)
    {
        _options = options;
        _expertsOffloaded = loader.ExpertsOffloaded;
        _devices = loader.DeviceNames;
        Native = native;
        Path = path;
        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        _nativeLogger = loggers.CreateLogger(NativeLog.Category);
        _metadata = new Lazy<IReadOnlyDictionary<string, string>>(ReadMetadata);
        _fingerprint = new Lazy<string>(() => ModelFingerprint.Of(path, options.MetadataOverrides), LazyThreadSafetyMode.PublicationOnly);
        _pieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: false));
        _specialPieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: true));
        Placement = loader.Report(native);
        Info = ReadInfo();
        Vocabulary = new Vocabulary(this);
        Log(loggers.CreateLogger<MoeModel>());
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

    internal NativeModel Native { get; }

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
        ModelLoader loader = ModelLoader.Prepare(path, options ?? new ModelOptions());
        using NativeModel native = loader.Load(simulate: true, progress: null, CancellationToken.None);
        var parameters = new ContextParameters(context, loader.ExpertsOffloaded);
        ContextMemoryCheck.CheckCells(native, parameters);
        using NativeContext simulated = NativeContext.Create(native.Handle, parameters, loader.NativeLogger);
        return new MemoryBreakdown(simulated.ReadMemory());
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

    /// <summary>Makes a context to generate in. Takes as long as reserving its memory does.</summary>
    /// <param name="options">Length, KV cache, threads; null takes the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or options contradict each other.</exception>
    /// <exception cref="InferenceException">llama.cpp refused the context, or memory ran out.</exception>
    /// <exception cref="NotSupportedException">The model cannot continue a text, or the options ask for what it cannot do.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public GenerationSession CreateSession(ContextOptions? options = null)
    {
        options ??= new ContextOptions();
        options.Validate();
        using Use use = Enter();
        return GenerationSession.Create(this, Prepare(options), _nativeLogger);
    }

    /// <summary>Makes a context without blocking the caller.</summary>
    /// <param name="options">Length, KV cache, threads; null takes the defaults.</param>
    /// <inheritdoc cref="CreateSession" path="/exception"/>
    public Task<GenerationSession> CreateSessionAsync(ContextOptions? options = null) =>
        Task.Factory.StartNew(
            () => CreateSession(options), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <summary>Gives the model's memory back; sessions that are still open keep it, and go on, until they are disposed.</summary>
    public void Dispose() => Native.Dispose();

    /// <summary>Keeps the native model from being freed until disposed.</summary>
    internal Use Enter() => new(this);

    /// <summary>Resolves options for this model, and checks that such a context fits.</summary>
    internal ContextParameters Prepare(ContextOptions options)
    {
        if (!Native.HasDecoder || Native.HasEncoder)
        {
            throw new NotSupportedException($"'{Path}' ({Info.Architecture}) is not a decoder-only model: it cannot continue a text.");
        }

        var parameters = new ContextParameters(options, _expertsOffloaded);
        ContextMemoryCheck.Check(
            Native,
            parameters,
            Number($"{Info.Architecture}.attention.key_length"),
            [.. NativeDevice.All().Where(device => _devices.Contains(device.Name)).Select(device => device.Describe())],
            length => EstimateMemory(Path, _options, options with { ContextLength = length }));
        return parameters;
    }

    internal TokenPieces Pieces(bool special) => special ? _specialPieces.Value : _pieces.Value;

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
            EmbeddingLength = Native.EmbeddingLength,
            TrainedContextLength = Native.TrainedContextLength,
            ExpertCount = Number($"{architecture}.expert_count"),
            ExpertUsedCount = Number($"{architecture}.expert_used_count"),
        };
    }

    private int Number(string key) =>
        int.TryParse(Metadata.GetValueOrDefault(key), NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : 0;

    private void Log(ILogger logger)
    {
        const double Mebibyte = 1024 * 1024;
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
            bool added = false;
            model.Native.Handle.DangerousAddRef(ref added);
            _handle = model.Native.Handle;
        }

        public void Dispose() => _handle.DangerousRelease();
    }
}
