using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Diagnostics;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;
using MoeOffload.Inference;
using MoeOffload.Inference.Running;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Shared;
using MoeOffload.Telemetry;

namespace MoeOffload;

/// <summary>Represents a loaded model, which can be used from several threads at the same time.</summary>
/// <remarks>The memory of the model is freed when the model and all its sessions, embedders and adapters have been disposed.</remarks>
public sealed class MoeModel : LoadedModel, IMeasuredModel
{
    private readonly Lazy<ChatTemplate> _chatTemplate;

    private MoeModel(string path, ModelOptions options, ModelLoader loader, NativeModel native, Projector? projector)
        : base(path, options, loader, native, projector) =>
        _chatTemplate = new Lazy<ChatTemplate>(() => ChatTemplate.Parse(this, options.ChatTemplate ?? FindChatTemplate(), NativeLogger));

    /// <summary>
    /// Gets the chat template: <see cref="ModelOptions.ChatTemplate"/>, the template of the model, or ChatML if there is neither. It is parsed when the property is first used, which blocks for a time that grows with the template;
    /// see <see cref="GetChatTemplateAsync"/>.
    /// </summary>
    /// <exception cref="ChatTemplateException">The template cannot be parsed. The message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed before the property was first used.</exception>
    public ChatTemplate ChatTemplate => _chatTemplate.Value;

    /// <summary>
    /// Gets the plan with which the model was loaded (<see cref="TensorPlacement.Auto"/>, <see cref="ModelOptions.WithPlan"/>), or
    /// <see langword="null"/> if the placement was not planned. What the model really uses can differ, for example because its contexts have other lengths.
    /// </summary>
    public PlacementPlan? Plan { get; private init; }

    /// <summary>Loads a model without blocking the caller.</summary>
    /// <param name="path">The path of a GGUF file, or of its first part if the model is split.</param>
    /// <param name="options">The load options, or <see langword="null"/> for the default options.</param>
    /// <param name="progress">Receives the progress, from 0 to 1, on the loading thread.</param>
    /// <param name="cancellationToken">A token that cancels the load. All memory is freed.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="IOException">
    /// The file cannot be read, is a directory, or does not exist (<see cref="FileNotFoundException"/>).
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    /// <exception cref="GgufFormatException">The file is damaged or is not a model.</exception>
    /// <exception cref="PlacementException">A placement rule, device, buffer type or server is unknown or cannot be used.</exception>
    /// <exception cref="NativeLibraryException">The native libraries are missing or have a different version.</exception>
    /// <exception cref="ModelLoadException">llama.cpp rejected the model, or there is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">The load was canceled.</exception>
    public static Task<MoeModel> LoadAsync(
        string path, ModelOptions? options = null, IProgress<float>? progress = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunToEndAsync(() => Load(path, options, progress, cancellationToken), cancellationToken);

    /// <summary>Loads a model and blocks until it is loaded.</summary>
    /// <inheritdoc cref="LoadAsync"/>
    public static MoeModel Load(
        string path, ModelOptions? options = null, IProgress<float>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var planned = AutoLoading.Plan(path, options ?? new ModelOptions());
        planned.Check(path);
        ModelLoader loader = ModelLoader.Prepare(path, planned.Options);
        NativeModel? native = null;
        Projector? projector = null;
        try
        {
            native = loader.Load(progress, cancellationToken);
            projector = loader.LoadProjector(native, new ThreadOptions().DecodeCount);
            var model = new MoeModel(path, planned.Options, loader, native, projector) { Plan = planned.Result };
            LiveState.Models.Add(model);
            return model;
        }
        catch (Exception error)
        {
            projector?.Dispose();
            native?.Dispose();
            loader.Dispose();
            if (error is ModelLoadException failure && planned.IsPlanned)
            {
                throw planned.Explain(failure);
            }

            throw;
        }
    }

    /// <summary>Finds the projector with which a model would be loaded, without loading either. Blocks while the headers of their files are read.</summary>
    /// <param name="path">The path of the model.</param>
    /// <param name="options">The options, or <see langword="null"/> for the default options.</param>
    /// <returns>The path of the projector, or <see langword="null"/> if the model would take only text.</returns>
    /// <exception cref="GgufFormatException">The file is not a valid GGUF file.</exception>
    /// <exception cref="ModelLoadException">The projector in the options is not valid.</exception>
    public static string? FindProjector(string path, ModelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ModelOptions();
        GgufModelFiles files = GgufModelFiles.OpenFirst(path);
        long length = Hyperparameters.FindInteger(files.Metadata, options.MetadataOverrides, "embedding_length") ?? 0;
        return ProjectorFiles.Find(path, options, length, (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger(ModelLog.Category));
    }

    /// <summary>
    /// Calculates how much memory a model and a context would use on each device, without reading the weights or allocating their memory.
    /// Blocks while the file and RPC servers are read; see <see cref="EstimateMemoryAsync"/>.
    /// </summary>
    /// <param name="path">The path of a GGUF file, or of its first part if the model is split.</param>
    /// <param name="options">The load options, or <see langword="null"/> for the default options.</param>
    /// <param name="context">
    /// The context options, or <see langword="null"/> for the default options. If they specify a draft model, its weights and its context are
    /// part of the result.
    /// </param>
    /// <returns>The memory of each device.</returns>
    /// <inheritdoc cref="LoadAsync" path="/exception"/>
    public static MemoryBreakdown EstimateMemory(string path, ModelOptions? options = null, ContextOptions? context = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        context ??= new ContextOptions();
        context.Validate();
        using ModelLoader loader = ModelLoader.Prepare(path, AutoLoading.PlanFor(path, options ?? new ModelOptions(), context));
        return ContextEstimate.WithProjector(ContextEstimate.Make(loader, context, embeds: false), loader);
    }

    /// <summary>
    /// Calculates how much memory a model and a context would use on each device, without reading the weights or allocating their memory,
    /// and without blocking the caller.
    /// </summary>
    /// <param name="path">The path of a GGUF file, or of its first part if the model is split.</param>
    /// <param name="options">The load options, or <see langword="null"/> for the default options.</param>
    /// <param name="context">
    /// The context options, or <see langword="null"/> for the default options. If they specify a draft model, its weights and its context are
    /// part of the result.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the wait. The calculation itself continues, and its result is discarded.</param>
    /// <returns>The memory of each device.</returns>
    /// <inheritdoc cref="LoadAsync" path="/exception"/>
    public static Task<MemoryBreakdown> EstimateMemoryAsync(
        string path, ModelOptions? options = null, ContextOptions? context = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => EstimateMemory(path, options, context), cancellationToken);

    /// <summary>
    /// Plans where a model and a context are placed, so that generation is as fast as the memory of this machine allows, without reading the
    /// weights or allocating their memory. Options that are set are kept. Blocks while the file and RPC servers are read; see
    /// <see cref="FitAsync"/>.
    /// </summary>
    /// <param name="path">The path of a GGUF file, or of its first part if the model is split.</param>
    /// <param name="options">The load options, or <see langword="null"/> for the default options.</param>
    /// <param name="context">The context options, or <see langword="null"/> for the default options.</param>
    /// <param name="fit">The memory to plan for, or <see langword="null"/> for what is free now.</param>
    /// <returns>
    /// The plan, for <see cref="ModelOptions.WithPlan"/>. If nothing fits, <see cref="PlacementPlan.Fits"/> is <see langword="false"/>, and
    /// the plan lists changes that would help.
    /// </returns>
    /// <inheritdoc cref="LoadAsync" path="/exception"/>
    public static PlacementPlan Fit(string path, ModelOptions? options = null, ContextOptions? context = null, FitOptions? fit = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return PlacementFit.Make(path, options ?? new ModelOptions(), context ?? new ContextOptions(), fit ?? new FitOptions());
    }

    /// <summary>Plans where a model and a context are placed, as <see cref="Fit"/> does, without blocking the caller.</summary>
    /// <param name="path">The path of a GGUF file, or of its first part if the model is split.</param>
    /// <param name="options">The load options, or <see langword="null"/> for the default options.</param>
    /// <param name="context">The context options, or <see langword="null"/> for the default options.</param>
    /// <param name="fit">The memory to plan for, or <see langword="null"/> for what is free now.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The calculation itself continues, and its result is discarded.</param>
    /// <returns>The plan.</returns>
    /// <inheritdoc cref="LoadAsync" path="/exception"/>
    public static Task<PlacementPlan> FitAsync(
        string path, ModelOptions? options = null, ContextOptions? context = null, FitOptions? fit = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => Fit(path, options, context, fit), cancellationToken);

    /// <summary>
    /// Lists the devices of this machine, and of the RPC servers that this process has used so far. Blocks while native libraries are loaded
    /// and servers answer; see <see cref="ListDevicesAsync"/>.
    /// </summary>
    /// <param name="options">
    /// Specifies the directory of the native libraries and further RPC servers, or <see langword="null"/> for the default options.
    /// </param>
    /// <returns>The devices.</returns>
    /// <exception cref="NativeLibraryException">The native libraries are missing or have a different version.</exception>
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

    /// <summary>
    /// Lists the devices of this machine, and of the RPC servers that this process has used so far, without blocking the caller.
    /// </summary>
    /// <param name="options">
    /// Specifies the directory of the native libraries and further RPC servers, or <see langword="null"/> for the default options.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The devices.</returns>
    /// <inheritdoc cref="ListDevices" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<IReadOnlyList<DeviceInfo>> ListDevicesAsync(ModelOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => ListDevices(options), cancellationToken);

    /// <summary>
    /// Describes the native libraries that this process uses. Blocks while they are loaded, if they are not loaded yet; see
    /// <see cref="DescribeRuntimeAsync"/>.
    /// </summary>
    /// <param name="options">Specifies the directory of the native libraries, or <see langword="null"/> for the default options.</param>
    /// <returns>The description.</returns>
    /// <exception cref="NativeLibraryException">The native libraries are missing or have a different version.</exception>
    public static RuntimeInfo DescribeRuntime(ModelOptions? options = null)
    {
        ILoggerFactory loggers = options?.LoggerFactory ?? NullLoggerFactory.Instance;
        NativeRuntime.EnsureLoaded(options?.NativeLibraryDirectory, loggers.CreateLogger(NativeLog.Category));
        return NativeReading.DescribeRuntime();
    }

    /// <summary>
    /// Describes the native libraries that this process uses, and loads them if they are not loaded yet, without blocking the caller.
    /// </summary>
    /// <param name="options">Specifies the directory of the native libraries, or <see langword="null"/> for the default options.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The description.</returns>
    /// <inheritdoc cref="DescribeRuntime" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<RuntimeInfo> DescribeRuntimeAsync(ModelOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => DescribeRuntime(options), cancellationToken);

    /// <summary>Creates a session, which is a context that generates text. Blocks while its memory is allocated; see <see cref="CreateSessionAsync"/>.</summary>
    /// <param name="options">The options of the context, or <see langword="null"/> for the default options.</param>
    /// <returns>The session.</returns>
    /// <exception cref="ArgumentException">
    /// An option is out of range, options contradict each other, or experts are to be counted although the model has none.
    /// </exception>
    /// <exception cref="IOException">The file of <see cref="ContextOptions.TraceExperts"/> cannot be created, or the model's file can no longer be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file of <see cref="ContextOptions.TraceExperts"/> or its directory is not writable.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the context, or there is not enough memory.</exception>
    /// <exception cref="NotSupportedException">
    /// The model cannot generate text, or does not support one of the options. For example, a dense model has no experts to record.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public GenerationSession CreateSession(ContextOptions? options = null)
    {
        options ??= new ContextOptions();
        options.Validate();
        using ModelAccess.Use use = Enter();
        GenerationSession session = GenerationSession.Create(this, ContextPreparation.ForGeneration(this, options));
        Log(session);
        return session;
    }

    /// <summary>Creates a session without blocking the caller.</summary>
    /// <param name="options">The options of the context, or <see langword="null"/> for the default options.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the wait. If the session is already being created, it is disposed as soon as it exists.
    /// </param>
    /// <returns>The session.</returns>
    /// <inheritdoc cref="CreateSession" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<GenerationSession> CreateSessionAsync(ContextOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => CreateSession(options), cancellationToken);

    /// <summary>
    /// Creates an embedder, which is a context that turns texts into embeddings. Blocks while its memory is allocated; see
    /// <see cref="CreateEmbedderAsync"/>.
    /// </summary>
    /// <param name="options">The options of the embedder, or <see langword="null"/> for the default options.</param>
    /// <returns>The embedder.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the context, or there is not enough memory.</exception>
    /// <exception cref="NotSupportedException">The model consists of an encoder and a decoder, like T5.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public Embedder CreateEmbedder(EmbeddingOptions? options = null)
    {
        options ??= new EmbeddingOptions();
        options.Validate();
        using ModelAccess.Use use = Enter();
        if (Native.HasEncoder)
        {
            throw new NotSupportedException($"'{Path}' ({Info.Architecture}) is an encoder-decoder model, whose embeddings are not supported.");
        }

        NativeEmbeddingInfo info = Native.EmbeddingInfo;
        ContextOptions context = options.ToContext(
            Info.TrainedContextLength, info.IsCausal, Native.IsRecurrent, Placement.KeepsExpertsBesideDevice);
        return Embedder.Create(this, options, ContextPreparation.ForEmbedding(this, context), info);
    }

    /// <summary>Creates an embedder without blocking the caller.</summary>
    /// <param name="options">The options of the embedder, or <see langword="null"/> for the default options.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the wait. If the embedder is already being created, it is disposed as soon as it exists.
    /// </param>
    /// <returns>The embedder.</returns>
    /// <inheritdoc cref="CreateEmbedder" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<Embedder> CreateEmbedderAsync(EmbeddingOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => CreateEmbedder(options), cancellationToken);

    /// <summary>
    /// Gets a value that indicates whether the model has a classification head, with which <see cref="CreateReranker"/> orders documents by their
    /// relevance.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public bool CanRerank
    {
        get
        {
            using ModelAccess.Use use = Enter();
            return Native.ReadShapes().Keys.Any(name => name is "cls.weight" or "cls.output.weight");
        }
    }

    /// <summary>
    /// Creates a reranker, which is a context that orders documents by their relevance to a query. Blocks while its memory is allocated; see
    /// <see cref="CreateRerankerAsync"/>.
    /// </summary>
    /// <param name="options">The options of the context, or <see langword="null"/> for the default options.</param>
    /// <returns>The reranker.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the context, or there is not enough memory.</exception>
    /// <exception cref="NotSupportedException">The model has no classification head.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public Reranker CreateReranker(EmbeddingOptions? options = null)
    {
        options ??= new EmbeddingOptions();
        options.Validate();
        using ModelAccess.Use use = Enter();
        if (!CanRerank)
        {
            throw new NotSupportedException(
                $"'{Path}' ({Info.Architecture}) cannot rank documents: it has no classification head. Use a model for reranking, such as bge-reranker or Qwen3-Reranker.");
        }

        ContextOptions context = options.ToContext(
            Info.TrainedContextLength, Native.EmbeddingInfo.IsCausal, Native.IsRecurrent, Placement.KeepsExpertsBesideDevice, ranks: true);
        return Reranker.Create(this, ContextPreparation.ForRanking(this, context));
    }

    /// <summary>Creates a reranker without blocking the caller.</summary>
    /// <param name="options">The options of the context, or <see langword="null"/> for the default options.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the wait. If the reranker is already being created, it is disposed as soon as it exists.
    /// </param>
    /// <returns>The reranker.</returns>
    /// <inheritdoc cref="CreateReranker" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<Reranker> CreateRerankerAsync(EmbeddingOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => CreateReranker(options), cancellationToken);

    /// <summary>
    /// Loads a LoRA adapter for the model. Its matrices are stored on the devices of the tensors that they change. Blocks while the file is
    /// read; see <see cref="LoadAdapterAsync"/>.
    /// </summary>
    /// <param name="path">The path of a GGUF file, such as one that llama.cpp's <c>convert_lora_to_gguf.py</c> creates.</param>
    /// <returns>The adapter, which has no effect until a session uses it.</returns>
    /// <exception cref="IOException">
    /// The file cannot be read, is a directory, or does not exist (<see cref="FileNotFoundException"/>).
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    /// <exception cref="GgufFormatException">The file is damaged or is not a LoRA adapter.</exception>
    /// <exception cref="ModelLoadException">
    /// The adapter belongs to another model, llama.cpp rejected it, or there is not enough memory.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public LoraAdapter LoadAdapter(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        GgufFile file = GgufFile.Open(path);
        using ModelAccess.Use use = Enter();
        IReadOnlyList<string> targets = LoraCheck.Validate(file, Info.Architecture, Native.ReadShapes());
        long bytes = AdapterMemory.Check(file, Placement, DescribeDevices());
        AdapterHandle handle = AdapterHandle.Load(Native.Handle, path, NativeLogger);
        file.Metadata.TryGetString(GgufKeys.Name, out string name);
        ModelLog.AdapterLoaded(Logger, path, targets.Count, file.Tensors.Count - (2 * targets.Count));
        return new LoraAdapter(this, path, name, targets, bytes, handle);
    }

    /// <summary>Loads a LoRA adapter without blocking the caller.</summary>
    /// <param name="path">The path of a GGUF file, such as one that llama.cpp's <c>convert_lora_to_gguf.py</c> creates.</param>
    /// <param name="cancellationToken">
    /// A token that cancels the wait. If the adapter is already being loaded, it is disposed as soon as it exists.
    /// </param>
    /// <returns>The adapter, which has no effect until a session uses it.</returns>
    /// <inheritdoc cref="LoadAdapter" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<LoraAdapter> LoadAdapterAsync(string path, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => LoadAdapter(path), cancellationToken);

    /// <summary>
    /// Reads how often experts that stay in the model's files were used, and their memory, or returns <see langword="null"/> if
    /// <see cref="ModelOptions.Experts"/> was not set.
    /// </summary>
    /// <returns>The statistics of all sessions and embedders of the model together.</returns>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public ExpertStorageStatistics? ReadExpertStorage()
    {
        using ModelAccess.Use use = Enter();
        if (Native.Handle.Experts is not { } experts)
        {
            return null;
        }

        NativeExpertUse[] layers = experts.Read(out NativeExpertMemory memory);
        return new ExpertStorageStatistics(
            [.. experts.Layers.Select(layer => new ExpertLayerStatistics(layer, layers[layer].Hits, layers[layer].Misses, layers[layer].BytesRead, layers[layer].WaitTime))])
        {
            LimitBytes = memory.Limit,
            ResidentBytes = memory.Resident,
            PeakBytes = memory.Peak,
            TotalBytes = memory.Total,
        };
    }

    /// <summary>Gets the model's own chat template without blocking the caller while it is parsed.</summary>
    /// <param name="cancellationToken">A token that cancels the wait. The parser itself continues, and its result is kept.</param>
    /// <returns>The template.</returns>
    /// <inheritdoc cref="ChatTemplate" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<ChatTemplate> GetChatTemplateAsync(CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(() => ChatTemplate, cancellationToken);

    /// <summary>
    /// Parses a chat template that can be used with this model instead of its own. Blocks for a time that grows with the template; see
    /// <see cref="ParseChatTemplateAsync"/>.
    /// </summary>
    /// <param name="source">A Jinja template, or <c>chatml</c> for the ChatML format.</param>
    /// <returns>The template.</returns>
    /// <exception cref="ArgumentException">The template is empty or contains a NUL character.</exception>
    /// <exception cref="ChatTemplateException">The template cannot be parsed. The message says where and why.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public ChatTemplate ParseChatTemplate(string source)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return ChatTemplate.Parse(this, source, NativeLogger);
    }

    /// <summary>Parses a chat template that can be used with this model instead of its own, without blocking the caller.</summary>
    /// <param name="source">A Jinja template, or <c>chatml</c> for the ChatML format.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The parser itself continues, and its result is discarded.</param>
    /// <returns>The template.</returns>
    /// <inheritdoc cref="ParseChatTemplate" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<ChatTemplate> ParseChatTemplateAsync(string source, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return BackgroundCall.ComputeAsync(() => ParseChatTemplate(source), cancellationToken);
    }

    /// <summary>
    /// Counts the tokens in the prompt of a rendered chat. An image counts as its embeddings, and is decoded for this. Blocks for a time that grows
    /// with the prompt; see <see cref="CountTokensAsync"/>.
    /// </summary>
    /// <param name="chat">The chat, rendered by a template of this model.</param>
    /// <returns>The number of tokens.</returns>
    /// <exception cref="ImageFormatException">An image cannot be decoded.</exception>
    /// <exception cref="NotSupportedException">The chat has an image, and the model was loaded without a projector.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public int CountTokens(RenderedChat chat) => CountTokens(chat, CancellationToken.None);

    /// <summary>Counts the tokens in the prompt of a rendered chat without blocking the caller.</summary>
    /// <param name="chat">The chat, rendered by a template of this model.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <returns>The number of tokens.</returns>
    /// <inheritdoc cref="CountTokens(RenderedChat)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<int> CountTokensAsync(RenderedChat chat, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(chat);
        return BackgroundCall.ComputeAsync(() => CountTokens(chat, cancellationToken), cancellationToken);
    }

    private int CountTokens(RenderedChat chat, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chat);
        if (chat.Images.Count == 0)
        {
            return Vocabulary.Tokenize(chat.Prompt, addSpecial: true, parseSpecial: true).Length;
        }

        using ModelAccess.Use use = Enter();
        return ImagePrompt.Count(this, new GenerationRequest { Prompt = chat.Prompt, Images = chat.Images }, cancellationToken);
    }

    // As in llama.cpp's tools, a model without a template gets ChatML.
    private string? FindChatTemplate()
    {
        if (ChatTemplate.IsIn(this))
        {
            return null;
        }

        ModelLog.NoChatTemplate(Logger, Path);
        return ChatTemplate.ChatMl;
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

    private protected override void OnDisposing() => LiveState.Models.Remove(this);
}
