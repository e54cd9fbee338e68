using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Gguf;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Models;

/// <summary>Loads a model: checks the file, then libraries, devices and rules, before llama.cpp reads the weights.</summary>
internal sealed class ModelLoader : IDisposable
{
    private readonly ModelOptions _options;
    private readonly string[] _paths;
    private readonly OpenedFiles _files;
    private readonly List<NativeDevice> _devices;
    private readonly ModelSettings _settings;
    private readonly Dictionary<string, int> _rules;
    private readonly float _expertShare;
    private readonly ILogger _logger;

    private ModelLoader(
        ModelOptions options,
        GgufModelFiles files,
        List<NativeDevice> devices,
        ModelSettings settings,
        Dictionary<string, int> rules,
        ILogger logger,
        ILogger nativeLogger)
    {
        _logger = logger;
        _options = options;
        _paths = [.. files.Parts.Select(part => part.Path!)];
        _files = new OpenedFiles(_paths);
        EmbeddingLength = Hyperparameters.FindInteger(files.Metadata, options.MetadataOverrides, "embedding_length") ?? 0;
        HeadLength = (int)Math.Clamp(Hyperparameters.FindInteger(files.Metadata, options.MetadataOverrides, "attention.key_length") ?? 0, 0, int.MaxValue);
        _devices = devices;
        _settings = settings;
        _rules = rules;
        _expertShare = options.Experts is null
            ? 0
            : files.Tensors.Where(RoutedExperts.IsRouted).Sum(tensor => tensor.ByteCount) / (float)files.Tensors.Sum(tensor => tensor.ByteCount);
        NativeLogger = nativeLogger;
    }

    /// <summary>Checks everything that can be checked before the weights are read.</summary>
    public static ModelLoader Prepare(string path, ModelOptions options)
    {
        options.Validate();
        GgufModelFiles files = GgufModelFiles.Open(path);
        CheckOverrides(files.Metadata, options.MetadataOverrides);
        GgufModelCheck.Validate(files, options.MetadataOverrides);

        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        ILogger logger = loggers.CreateLogger(ModelLog.Category);
        ILogger nativeLogger = loggers.CreateLogger(NativeLog.Category);
        List<NativeDevice> devices = SelectDevices(options);
        Dictionary<string, int> rules = MatchRules(files, options, logger);
        ModelSettings settings = ModelSettingsMapping.Map(options with { LoadMode = ChooseMode(options, files, devices, BufferOf) }, devices);
        PlacementRules.CheckTypes(settings.Rules, files.Tensors, rules);
        if (options.Experts is not null)
        {
            ExpertStoreHandle experts = ExpertFiles.Prepare(files, options, BufferOf, out string[] patterns);
            settings = settings with { Experts = experts, ExpertPatterns = patterns };
        }

        return new ModelLoader(options, files, devices, settings, rules, logger, nativeLogger);

        string? BufferOf(string tensor) => rules.TryGetValue(tensor, out int rule) ? options.Placement.Rules[rule].Buffer : null;
    }

    /// <summary>Loads the native libraries, connects to the RPC servers, and selects the devices that hold layers.</summary>
    public static List<NativeDevice> SelectDevices(ModelOptions options)
    {
        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        NativeRuntime.EnsureLoaded(options.NativeLibraryDirectory, loggers.CreateLogger(NativeLog.Category));
        foreach (string server in options.RpcServers)
        {
            NativeRuntime.AddServer(server);
        }

        return DeviceSelection.Select(options);
    }

    /// <summary>Gets the logger for llama.cpp's messages.</summary>
    public ILogger NativeLogger { get; }

    /// <summary>Gets the names of the devices that hold layers.</summary>
    public string[] DeviceNames => [.. _devices.Select(device => device.Name)];

    /// <summary>Gets the number of values in an embedding, or 0 if the model does not specify it.</summary>
    public long EmbeddingLength { get; }

    /// <summary>Finds the model's projector.</summary>
    /// <param name="threads">The number of threads that encode images on the CPU.</param>
    /// <returns>How it is loaded, or <see langword="null"/> if there is none.</returns>
    /// <exception cref="ModelLoadException">The projector in the options is not valid.</exception>
    public ProjectorSettings? FindProjector(int threads)
    {
        return ProjectorFiles.Find(_paths[0], _options, EmbeddingLength, _logger) is { } path
            ? Projector.Configure(path, _options, _devices, threads)
            : null;
    }

    /// <summary>Loads the model's projector.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">The number of threads that encode images on the CPU.</param>
    /// <returns>The projector, or <see langword="null"/> if there is none.</returns>
    /// <exception cref="ModelLoadException">The projector in the options is not valid, or there is not enough memory.</exception>
    public Projector? LoadProjector(NativeModel model, int threads)
    {
        const double Mebibyte = 1 << 20;
        if (FindProjector(threads) is not { } settings)
        {
            return null;
        }

        try
        {
            var projector = Projector.Load(model, settings, NativeLogger);
            if (_logger.IsEnabled(LogLevel.Information))
            {
                double size = projector.Memory.Sum(use => use.TotalBytes) / Mebibyte;
                ModelLog.ProjectorLoaded(_logger, settings.Path, _paths[0], size, settings.Device?.Name ?? "the CPU");
            }

            return projector;
        }
        catch (ModelLoadException error) when (_options.ProjectorPath is null)
        {
            ModelLog.ProjectorFailed(_logger, _paths[0], error.Message);
            return null;
        }
    }

    /// <summary>Reads the memory of the model's projector, without loading it.</summary>
    /// <param name="threads">The number of threads that encode images on the CPU.</param>
    /// <returns>The memory, which is empty if there is no projector.</returns>
    /// <exception cref="ModelLoadException">The projector in the options is not valid.</exception>
    public IReadOnlyList<MemoryUse> ReadProjectorMemory(int threads)
    {
        try
        {
            return FindProjector(threads) is { } settings ? Projector.ReadMemory(settings, NativeLogger) : [];
        }
        catch (ModelLoadException) when (_options.ProjectorPath is null)
        {
            // The model is loaded without it.
            return [];
        }
    }

    /// <summary>Gets a value that indicates whether experts stay in the model's files.</summary>
    public bool KeepsExpertsInFiles => _settings.Experts is not null;

    /// <summary>Gets the number of values of a head in the KV cache, or 0 if the file does not specify it.</summary>
    public int HeadLength { get; }

    /// <summary>Loads the weights.</summary>
    /// <exception cref="OperationCanceledException">Loading was canceled. All memory has been freed.</exception>
    /// <exception cref="ModelLoadException">llama.cpp rejected the model, there is not enough memory, or the connection to an RPC server was lost.</exception>
    public NativeModel Load(IProgress<float>? progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_settings.Experts is null)
        {
            return Load(_paths, _settings, simulate: false, progress, cancellationToken);
        }

        ExpertMemoryCheck.Check(_paths[0], _options.Experts!.HostBytes, _settings.Experts.TotalBytes, HostMemory.Available());

        // llama.cpp leaves out the experts that stay in the files, but counts them as a part of what it loads.
        NativeModel model = Load(
            _paths, _settings, simulate: false, progress is null ? null : new Share(progress, 1 - _expertShare), cancellationToken);
        progress?.Report(1);
        return model;
    }

    /// <summary>Creates the model without reading its weights or allocating memory for them, to calculate the memory that it and its contexts take.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the model, or the connection to an RPC server was lost.</exception>
    public NativeModel Simulate() => _files.Read(
        paths => Load(paths, _settings with { LoadMode = NativeLoadMode.None }, simulate: true, progress: null, CancellationToken.None));

    /// <summary>Closes the model's files. A model that was loaded keeps those of its experts.</summary>
    public void Dispose()
    {
        _files.Dispose();
        _settings.Experts?.Dispose();
    }

    /// <summary>Reads back the placement of the tensors, and checks that the required device is used.</summary>
    public PlacementReport Report(NativeModel model)
    {
        var report = new PlacementReport(
            _options.Placement, model.ReadLocations(name => _rules.TryGetValue(name, out int rule) ? rule : null));
        if (_options.RequireDevice is { } required && !report.Buffers.Any(buffer => !buffer.IsHost
            && (required == ModelOptions.AnyAccelerator || string.Equals(buffer.Device, required, StringComparison.OrdinalIgnoreCase))))
        {
            throw new PlacementException(
                $"{DeviceSelection.Wanted(required)} is required, but no tensor of the model is there: "
                + "check GpuLayers and the placement rules.");
        }

        return report;
    }

    private NativeModel Load(
        IReadOnlyList<string> paths, ModelSettings settings, bool simulate, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        string[] servers = NativeDevice.ServersOf(_devices);
        NativeModel? model = null;
        bool finished = RpcServers.Run(
            servers,
            () =>
            {
                using (NativeLog.Enter(NativeLogger))
                {
                    model = NativeModel.Load(paths, settings, simulate, progress is null ? null : progress.Report, cancellationToken);
                }
            },
            out string reason);
        return finished ? model! : throw new ModelLoadException($"RPC server {string.Join(", ", servers)} was lost while the model loaded: {reason}");
    }

    // A GPU reads weights from pinned memory about twice as fast as from a mapped file. Without a GPU, mapping the file has no
    // disadvantage, and its pages are shared between processes.
    private static LoadMode ChooseMode(
        ModelOptions options, GgufModelFiles files, List<NativeDevice> devices, Func<string, string?> bufferOf)
    {
        if (options.Experts is not null && options.LoadMode == LoadMode.Auto)
        {
            return LoadMode.None; // mapping a file would read all of it
        }

        if (options.LoadMode != LoadMode.Auto || options.PinnedHostMemory == false || !devices.Exists(device => device.HasPinnedMemory))
        {
            return options.LoadMode;
        }

        return ExpertSplit.IsExpected(
            [.. files.Tensors.Select(tensor => tensor.Name)],
            bufferOf,
            options.GpuLayers)
            ? LoadMode.None
            : options.LoadMode;
    }

    // llama.cpp ignores an override whose type differs from that of the file's value, and only logs this.
    internal static void CheckOverrides(GgufMetadata metadata, IReadOnlyDictionary<string, MetadataValue> overrides)
    {
        foreach ((string key, MetadataValue value) in overrides)
        {
            if (metadata.TryGetValue(key, out GgufValue own) && own.Type switch
            {
                GgufValueType.String => value.Value is not string,
                GgufValueType.Boolean => value.Value is not bool,
                GgufValueType.Float32 or GgufValueType.Float64 => value.Value is not double,
                GgufValueType.Array => true,
                _ => value.Value is not long,
            })
            {
                throw new ArgumentException(
                    $"The metadata override '{key}' = {value} is not of the type of the file's value, {own.Type}: llama.cpp would ignore it.",
                    nameof(overrides));
            }
        }
    }

    private static Dictionary<string, int> MatchRules(GgufModelFiles files, ModelOptions options, ILogger logger)
    {
        string[] names = [.. files.Tensors.Select(tensor => tensor.Name)];
        int[] decided = PlacementRules.FirstMatches(options.Placement, names);
        var rules = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
        {
            if (decided[i] >= 0)
            {
                rules[names[i]] = decided[i];
            }
        }

        for (int rule = 0; rule < options.Placement.Rules.Count; rule++)
        {
            if (Array.IndexOf(decided, rule) >= 0)
            {
                continue;
            }

            string pattern = options.Placement.Rules[rule].Pattern;
            if (options.UnmatchedRules == UnmatchedRuleAction.Error)
            {
                throw new PlacementException(
                    $"placement rule {rule + 1}, `{pattern}`: matches no tensor of '{files.Path}', or only tensors that an earlier rule applies to.");
            }

            ModelLog.RuleUnmatched(logger, rule + 1, pattern, files.Path);
        }

        return rules;
    }

    private sealed class Share(IProgress<float> progress, float share) : IProgress<float>
    {
        public void Report(float value) => progress.Report(Math.Min(1, value / Math.Max(share, float.Epsilon)));
    }
}
