using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;
using MoeOffload.Inference;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>A loaded model. Safe to use from several threads; its memory is freed once it and its sessions are disposed.</summary>
public sealed class MoeModel : LoadedModel
{
    private readonly Lazy<ChatTemplate> _chatTemplate;

    private MoeModel(string path, ModelOptions options, ModelLoader loader, NativeModel native)
        : base(path, options, loader, native) =>
        _chatTemplate = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(this, null, NativeLogger));

    /// <summary>Gets the model's own chat template, parsed when it is first asked for.</summary>
    /// <exception cref="ChatTemplateException">It does not parse; the message says where and why.</exception>
    /// <exception cref="NotSupportedException">The model has none.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed before this was first read.</exception>
    public ChatTemplate ChatTemplate => _chatTemplate.Value;

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
        NativeModel? native = null;
        try
        {
            native = loader.Load(progress, cancellationToken);
            return new MoeModel(path, options, loader, native);
        }
        catch
        {
            native?.Dispose();
            loader.Dispose();
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
        using ModelLoader loader = ModelLoader.Prepare(path, options ?? new ModelOptions());
        return ContextEstimate.Make(loader, context, embeds: false);
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

        return DeviceSelection.Describe();
    }

    /// <summary>The native libraries that this process uses; they are loaded if they were not yet.</summary>
    /// <param name="options">Where the native libraries are; null takes the defaults.</param>
    /// <exception cref="NativeLibraryException">The native libraries are missing or of another version.</exception>
    public static RuntimeInfo DescribeRuntime(ModelOptions? options = null)
    {
        ILoggerFactory loggers = options?.LoggerFactory ?? NullLoggerFactory.Instance;
        NativeRuntime.EnsureLoaded(options?.NativeLibraryDirectory, loggers.CreateLogger(NativeLog.Category));
        return NativeReading.DescribeRuntime();
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
        GenerationSession session = GenerationSession.Create(this, ContextPreparation.ForGeneration(this, options));
        Log(session);
        return session;
    }

    /// <summary>Makes a context without blocking the caller.</summary>
    /// <param name="options">Length, KV cache, threads; null takes the defaults.</param>
    /// <param name="cancellationToken">Ends the wait; a context that was being made meanwhile is freed once it is there.</param>
    /// <inheritdoc cref="CreateSession" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public Task<GenerationSession> CreateSessionAsync(ContextOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => CreateSession(options), cancellationToken);

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

        NativeEmbeddingInfo info = Native.EmbeddingInfo;
        ContextOptions context = options.ToContext(
            Info.TrainedContextLength, info.IsCausal, Native.IsRecurrent, Placement.KeepsExpertsBesideDevice);
        return Embedder.Create(this, options, ContextPreparation.ForEmbedding(this, context), info);
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
        long bytes = AdapterMemory.Check(file, Placement, DescribeDevices());
        AdapterHandle handle = AdapterHandle.Load(Native.Handle, path, NativeLogger);
        file.Metadata.TryGetString(GgufKeys.Name, out string name);
        ModelLog.AdapterLoaded(Logger, path, targets.Count, file.Tensors.Count - (2 * targets.Count));
        return new LoraAdapter(this, path, name, targets, bytes, handle);
    }

    /// <summary>Loads a LoRA adapter without blocking the caller.</summary>
    /// <param name="path">A GGUF file, as llama.cpp's <c>convert_lora_to_gguf.py</c> makes it.</param>
    /// <param name="cancellationToken">Ends the wait; an adapter that was being loaded meanwhile is freed once it is there.</param>
    /// <inheritdoc cref="LoadAdapter" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public Task<LoraAdapter> LoadAdapterAsync(string path, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => LoadAdapter(path), cancellationToken);

    /// <summary>Parses a chat template to use with this model in place of its own.</summary>
    /// <param name="source">A Jinja template, or <c>chatml</c> for the format of that name.</param>
    /// <exception cref="ArgumentException">The template is empty, or has a NUL character.</exception>
    /// <exception cref="ChatTemplateException">It does not parse; the message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ChatTemplate ParseChatTemplate(string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return ChatTemplate.Parse(this, source, NativeLogger);
    }

    private void Log(GenerationSession session)
    {
        const double Mebibyte = 1024 * 1024;
        foreach (MemoryUse use in session.Memory.Devices)
        {
            ModelLog.ContextHolds(
                Logger, session.ContextLength, session.SequenceCount, use.ContextBytes / Mebibyte, use.ComputeBytes / Mebibyte, use.Device);
        }
    }
}
