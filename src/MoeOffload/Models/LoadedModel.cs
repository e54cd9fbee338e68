using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Represents a model in memory, with its properties, the placement of its tensors, and its vocabulary. <see cref="MoeModel"/>, the only
/// derived class, loads models and creates sessions.
/// </summary>
public abstract class LoadedModel : IDisposable, IAsyncDisposable
{
    private readonly ModelOptions _options;
    private readonly Lazy<IReadOnlyDictionary<string, string>> _metadata;
    private readonly Lazy<string> _fingerprint;
    private readonly ModelAccess _access;

    private protected LoadedModel(string path, ModelOptions options, ModelLoader loader, NativeModel native, Projector? projector)
    {
        _options = options;
        Projector = projector;
        Loader = loader;
        _access = new ModelAccess(native, GetType());
        Path = path;
        Logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger(ModelLog.Category);
        _metadata = new Lazy<IReadOnlyDictionary<string, string>>(ReadMetadata);
        _fingerprint = new Lazy<string>(() => ModelFingerprint.Of(path, options.MetadataOverrides), LazyThreadSafetyMode.PublicationOnly);
        Placement = loader.Report(native);
        Info = ReadInfo();
        Vocabulary = new Vocabulary(_access, isOwned: false);
        Log(Logger);
    }

    /// <summary>Gets the path of the file that was loaded, or of its first part if the model is split.</summary>
    public string Path { get; }

    /// <summary>Gets the id of the model in telemetry: <see cref="ModelOptions.Id"/>, or the name of its file without the extension.</summary>
    public string Id => _options.Id ?? System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Gets the model's properties.</summary>
    public ModelInfo Info { get; }

    /// <summary>Gets the actual placement of the tensors, read back from the loaded model, and the outcome of each placement rule.</summary>
    public PlacementReport Placement { get; }

    /// <summary>Gets the vocabulary, which converts text to tokens and back.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>Gets the file's metadata as text, with overrides applied and without arrays.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed before the metadata was first read.</exception>
    public IReadOnlyDictionary<string, string> Metadata => _metadata.Value;

    internal NativeModel Native => _access.Native;

    internal ModelLoader Loader { get; }

    /// <summary>Gets the logger for messages about the model.</summary>
    internal ILogger Logger { get; }

    /// <summary>Gets the logger for llama.cpp's messages.</summary>
    internal ILogger NativeLogger => Loader.NativeLogger;

    /// <summary>Gets the projector, or <see langword="null"/> if the model does not take images.</summary>
    internal Projector? Projector { get; }

    /// <summary>Gets a value that indicates whether the layers for multi-token prediction were requested.</summary>
    internal bool LoadsMtpLayers => _options.LoadMtpLayers;

    /// <summary>Gets a hash that identifies the model's files. They are read when the property is first used.</summary>
    internal string Fingerprint => _fingerprint.Value;

    /// <summary>Frees the model's memory. Sessions and embedders that are still open keep it until they are disposed.</summary>
    /// <remarks>Waits up to 30 seconds if an RPC server does not answer.</remarks>
    public void Dispose()
    {
        OnDisposing();
        Projector?.Dispose();
        _access.Close();
        Loader.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the model's memory without blocking the caller. Sessions and embedders that are still open keep it until they are disposed.</summary>
    /// <returns>A task that completes when the memory has been freed.</returns>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return new ValueTask(Task.Factory.StartNew(
            Dispose, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
    }

    /// <summary>Prevents the native model from being freed until the returned value is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    internal ModelAccess.Use Enter() => _access.Enter();

    internal TokenPieces Pieces(bool special) => _access.Pieces(special);

    /// <summary>Describes the devices that hold the model's layers, with the memory that is free now.</summary>
    internal DeviceInfo[] DescribeDevices() => DeviceSelection.Describe(Loader.DeviceNames);

    /// <summary>Checks and copies a list of adapters for a session of this model.</summary>
    /// <exception cref="ArgumentException">An adapter belongs to another model or is in the list twice, or a scale is not a finite number.</exception>
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
            : throw new ArgumentException("An adapter is in the list twice. Specify it once, with the sum of its scales.", nameof(adapters));
    }

    private protected abstract void OnDisposing();

    private Dictionary<string, string> ReadMetadata()
    {
        using ModelAccess.Use use = Enter();
        Dictionary<string, string> metadata = Native.ReadMetadata();

        // llama.cpp applies overrides when it reads a value, but lists the file's own values.
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
            SupportsVision = Projector is not null,
        };
    }

    // llama.cpp writes a question mark for a size that it has no name for.
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
}
