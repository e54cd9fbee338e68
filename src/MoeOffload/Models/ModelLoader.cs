using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Gguf;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>The way from a path to a loaded model: file first, then libraries, devices and rules, and only then llama.cpp.</summary>
internal sealed class ModelLoader
{
    private readonly ModelOptions _options;
    private readonly GgufModelFiles _files;
    private readonly List<NativeDevice> _devices;
    private readonly Dictionary<string, int> _rules;

    private ModelLoader(ModelOptions options, GgufModelFiles files, List<NativeDevice> devices, Dictionary<string, int> rules, ILogger nativeLogger)
    {
        _options = options;
        _files = files;
        _devices = devices;
        _rules = rules;
        NativeLogger = nativeLogger;
    }

    /// <summary>Checks everything that can be checked before the weights are read.</summary>
    public static ModelLoader Prepare(string path, ModelOptions options)
    {
        options.Validate();
        GgufModelFiles files = GgufModelFiles.Open(path);
        CheckOverrides(files.Metadata, options.MetadataOverrides);
        GgufModelCheck.Validate(files, options.MetadataOverrides.ToDictionary(item => item.Key, item => item.Value.Value));

        ILoggerFactory loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        ILogger nativeLogger = loggers.CreateLogger(NativeLog.Category);
        NativeRuntime.EnsureLoaded(options.NativeLibraryDirectory, nativeLogger);
        foreach (string server in options.RpcServers)
        {
            NativeRuntime.AddServer(server);
        }

        List<NativeDevice> devices = NativeDevice.Select(options);
        Dictionary<string, int> rules = MatchRules(files, options, loggers.CreateLogger<MoeModel>());
        return new ModelLoader(options, files, devices, rules, nativeLogger);
    }

    /// <summary>Where llama.cpp's lines go.</summary>
    public ILogger NativeLogger { get; }

    /// <summary>The devices that hold layers.</summary>
    public string[] DeviceNames => [.. _devices.Select(device => device.Name)];

    /// <summary>Gets the values of a head in the KV cache; 0 if the file does not say.</summary>
    public int HeadLength
    {
        get
        {
            _files.Metadata.TryGetString(GgufKeys.Architecture, out string architecture);
            string key = $"{architecture}.attention.key_length";
            return _options.MetadataOverrides.TryGetValue(key, out MetadataValue value) && value.Value is long number ? (int)Math.Clamp(number, 0, int.MaxValue)
                : _files.Metadata.TryGetInt64(key, out long length) ? (int)Math.Clamp(length, 0, int.MaxValue)
                : 0;
        }
    }

    /// <summary>Whether experts stay in system memory while a device holds layers.</summary>
    public bool ExpertsOffloaded => _devices.Count > 0 && _rules.Count > 0;

    /// <summary>Loads the weights, or with <paramref name="simulate"/> only counts what they would take.</summary>
    public NativeModel Load(bool simulate, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string[] paths = [.. _files.Parts.Select(part => part.Path!)];
        string[] servers = NativeDevice.ServersOf(_devices);
        NativeModel? model = null;
        bool finished = RpcServers.Run(
            servers,
            () =>
            {
                using (NativeLog.Enter(NativeLogger))
                {
                    LoadMode mode = simulate ? LoadMode.None : ChooseMode();
                    model = NativeModel.Load(paths, _options, _devices, mode, simulate, progress is null ? null : progress.Report, cancellationToken);
                }
            },
            out string reason);
        return finished ? model! : throw new ModelLoadException($"RPC server {string.Join(", ", servers)} was lost while the model loaded: {reason}");
    }

    /// <summary>Reads back where the tensors are, and holds it against what was required.</summary>
    public PlacementReport Report(NativeModel model)
    {
        var report = new PlacementReport(
            _options.Placement, model.ReadPlacement(name => _rules.TryGetValue(name, out int rule) ? rule : null));
        if (_options.RequireDevice is { } required && !report.Buffers.Any(buffer => !buffer.IsHost
            && (required == ModelOptions.AnyAccelerator || string.Equals(buffer.Device, required, StringComparison.OrdinalIgnoreCase))))
        {
            throw new PlacementException(
                $"{NativeDevice.Wanted(required)} is required, but no tensor of the model is there: "
                + "check GpuLayers and the placement rules.");
        }

        return report;
    }

    // With a GPU beside, weights read into pinned memory cross to it about twice as fast as mapped ones; without one,
    // mapping the file costs nothing and is shared between processes.
    private LoadMode ChooseMode() =>
        _options.LoadMode == LoadMode.Auto && _rules.Count > 0 && _options.PinnedHostMemory != false && _devices.Exists(device => device.HasPinnedMemory)
            ? LoadMode.None
            : _options.LoadMode;

    // llama.cpp passes over an override of another type than the file's, with a line in its log.
    private static void CheckOverrides(GgufMetadata metadata, IReadOnlyDictionary<string, MetadataValue> overrides)
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
                    $"The metadata override '{key}' = {value} is of another type than the file's value ({own.Type}): llama.cpp would pass over it.",
                    nameof(overrides));
            }
        }
    }

    private static Dictionary<string, int> MatchRules(GgufModelFiles files, ModelOptions options, ILogger logger)
    {
        string[] names = [.. files.Tensors.Select(tensor => tensor.Name)];
        int[] decided = NativePlacement.FirstMatches(options.Placement, names);
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
            if (options.UnmatchedRules == UnmatchedRules.Error)
            {
                throw new PlacementException(
                    $"placement rule {rule + 1}, `{pattern}`: matches no tensor of '{files.Path}', or only ones that an earlier rule has taken.");
            }

            ModelLog.RuleUnmatched(logger, rule + 1, pattern, files.Path);
        }

        return rules;
    }
}
