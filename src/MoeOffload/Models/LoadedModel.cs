using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Represents a model in memory: what it is, where its tensors lie, and its vocabulary. <see cref="MoeModel"/> is the one kind of it, and
/// says how to load and use one.
/// </summary>
public abstract class LoadedModel : IDisposable, IAsyncDisposable
{
    private readonly ModelOptions _options;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _metadata;
    private readonly Lazy<string> _fingerprint;
    private readonly Lazy<TokenPieces> _pieces;
    private readonly Lazy<TokenPieces> _specialPieces;
    private volatile bool _isDisposed;

    private protected LoadedModel(string path, ModelOptions options, ModelLoader loader, NativeModel native)
    {
        _options = options;
        Loader = loader;
        Native = native;
        Path = path;
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger(ModelLog.Category);
        _metadata = new Lazy<IReadOnlyDictionary<string, string>>(ReadMetadata);
        _fingerprint = new Lazy<string>(() => ModelFingerprint.Of(path, options.MetadataOverrides), LazyThreadSafetyMode.PublicationOnly);
        _pieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: false));
        _specialPieces = new Lazy<TokenPieces>(() => TokenPieces.Read(native.Vocabulary, special: true));
        Placement = loader.Report(native);
        Info = ReadInfo();
        Vocabulary = new Vocabulary(this);
        Log(Logger);
    }

    /// <summary>Gets the file that was loaded, or the first of its parts.</summary>
    public string Path { get; }

    /// <summary>Gets what the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>Gets where each tensor truly lies, read back from the loaded model, and what each placement rule did.</summary>
    public PlacementReport Placement { get; }

    /// <summary>Gets the vocabulary: text to tokens and back.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Gets the file's metadata as text, overrides applied, arrays left out.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before this was first read.</exception>
    public IReadOnlyDictionary<string, string> Metadata => _metadata.Value;

    internal NativeModel Native { get; }

    internal ModelLoader Loader { get; }

    /// <summary>Gets where messages about the model go.</summary>
    internal ILogger Logger { get; }

    /// <summary>Gets where llama.cpp's lines go.</summary>
    internal ILogger NativeLogger => Loader.NativeLogger;

    /// <summary>Gets whether its layers for multi-token prediction were to be loaded.</summary>
    internal bool LoadsMtpLayers => _options.LoadMtpLayers;

    /// <summary>Gets what tells the model's files from any others; they are read when it is first asked for.</summary>
    internal string Fingerprint => _fingerprint.Value;

    /// <summary>Frees the model's memory; sessions and embedders that are still open keep it until they are disposed.</summary>
    /// <remarks>Waits up to 30 seconds if an RPC server does not answer.</remarks>
    public void Dispose()
    {
        _isDisposed = true;
        Native.Dispose();
        Loader.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the model's memory without blocking the caller; sessions and embedders that are still open keep it until they are disposed.</summary>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return new ValueTask(Task.Factory.StartNew(
            Dispose, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
    }

    /// <summary>Keeps the native model from being freed until disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal Use Enter() => new(this);

    internal TokenPieces Pieces(bool special) => special ? _specialPieces.Value : _pieces.Value;

    /// <summary>Describes the devices that hold its layers, with their memory as of now.</summary>
    internal DeviceInfo[] DescribeDevices() => DeviceSelection.Describe(Loader.DeviceNames);

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
        int Number(string key) =>
            int.TryParse(Metadata.GetValueOrDefault($"{architecture}.{key}"), NumberStyles.Integer, CultureInfo.InvariantCulture, out int value) ? value : 0;

        return new ModelInfo
        {
            Architecture = architecture,
            Name = Metadata.GetValueOrDefault("general.name", string.Empty),
            Description = DescriptionOf(Native.Description),
            ParameterCount = (long)Native.ParameterCount,
            TensorBytes = (long)Native.TensorBytes,
            LayerCount = Native.LayerCount,
            MtpLayerCount = Native.MtpInfo.LayerCount,
            EmbeddingLength = Native.EmbeddingLength,
            TrainedContextLength = Native.TrainedContextLength,
            ExpertCount = Number("expert_count"),
            ExpertUsedCount = Number("expert_used_count"),
        };
    }

    // llama.cpp has a question mark for a size that it has no name for.
    private static string DescriptionOf(string description) => description.Replace(" ?B", string.Empty, StringComparison.Ordinal);

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

        public Use(LoadedModel model)
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
