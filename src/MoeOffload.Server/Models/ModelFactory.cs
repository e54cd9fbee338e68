using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;
using MoeOffload.Shared;

namespace MoeOffload.Server.Models;

/// <summary>Creates models and their contexts according to the options.</summary>
internal sealed class ModelFactory(ModelHostOptions options, ILoggerFactory loggers)
{
    // With a memory limit, a model must not use the memory that it leaves free, because other models need it.
    private const int LengthWithinLimit = 8192;

    // The library's limit of a text, if the options do not set one.
    private const int LongestEmbedded = 8192;

    private ModelOptions ModelOptions => options.Load with { LoggerFactory = options.Load.LoggerFactory ?? loggers };

    /// <summary>Loads a model.</summary>
    /// <returns>
    /// The model, its session, which is <see langword="null"/> if the model is an encoder, and what was loaded together with it.
    /// </returns>
    public async Task<(MoeModel Model, GenerationSession? Session, LoadedCompanions Companions)> LoadAsync(
        CatalogEntry entry, IProgress<float> progress, CancellationToken cancellationToken)
    {
        ModelOptions load = options.Load.Experts is null
            ? ModelOptions
            : For((await GgufFile.OpenAsync(entry.Path, cancellationToken).ConfigureAwait(false)).Metadata);
        load = load with { Id = entry.Name };
        MoeModel model = await MoeModel.LoadAsync(entry.Path, load, progress, cancellationToken).ConfigureAwait(false);
        LoadedCompanions? companions = null;
        try
        {
            companions = await LoadedCompanions.LoadAsync(
                model,
                options.Companions.GetValueOrDefault(entry.Name),
                load,
                (path, draft) => MoeModel.LoadAsync(path, draft, progress: null, cancellationToken),
                cancellationToken).ConfigureAwait(false);
            ContextOptions context = companions.ApplyTo(ModelContext.For(Context(model.Info.TrainedContextLength), model.Info));
            return (model, await MakeSessionAsync(model, context).ConfigureAwait(false), companions);
        }
        catch
        {
            companions?.Dispose();
            model.Dispose();
            throw;
        }
    }

    /// <summary>Estimates the memory that a model and its session would use, in bytes, over all devices and system memory.</summary>
    public long EstimateBytes(CatalogEntry entry)
    {
        GgufMetadata metadata = GgufFile.Open(entry.Path).Metadata;
        int trained = metadata.TryGetString("general.architecture", out string architecture)
            && metadata.TryGetInt64($"{architecture}.context_length", out long length)
            ? (int)Math.Clamp(length, 1, int.MaxValue)
            : 0;
        return MoeModel.EstimateMemory(entry.Path, For(metadata), Context(trained) with { CountExperts = false }).Total.TotalBytes;
    }

    // The options are those of all models, and some models have no experts.
    private ModelOptions For(GgufMetadata metadata) =>
        metadata.TryGetString("general.architecture", out string architecture)
        && metadata.TryGetInt64($"{architecture}.expert_count", out long experts) && experts > 0
            ? ModelOptions
            : ModelOptions with { Experts = null };

    /// <summary>Creates the embedder of a model.</summary>
    public Task<Embedder> MakeEmbedderAsync(MoeModel model) => PooledEmbedder.CreateAsync(model, Embedding(model));

    /// <summary>Creates the reranker of a model.</summary>
    /// <exception cref="NotSupportedException">The model cannot rank documents.</exception>
    public Task<Reranker> MakeRerankerAsync(MoeModel model) => model.CreateRerankerAsync(Embedding(model));

    /// <summary>Creates a session in which a request can have a certain number of tokens.</summary>
    /// <exception cref="InferenceException">There is not enough memory.</exception>
    public Task<GenerationSession> MakeLongerAsync(MoeModel model, LoadedCompanions companions, int length)
    {
        ContextOptions context = companions.ApplyTo(ModelContext.For(Context(model.Info.TrainedContextLength), model.Info));
        return model.CreateSessionAsync(context with { ContextLength = context.KvCache.Unified == true ? length : (int)Math.Min((long)length * context.SequenceCount, int.MaxValue) });
    }

    // A context that is longer than the usual limit of a text raises this limit.
    private EmbeddingOptions Embedding(MoeModel model) =>
        options.Embedding.ContextLength == 0 && options.Context.ContextLength > LongestEmbedded
            ? options.Embedding with { ContextLength = Math.Min(options.Context.ContextLength, model.Info.TrainedContextLength) }
            : options.Embedding;

    private ContextOptions Context(int trainedLength) => options.MemoryLimit is null || options.Context.ContextLength > 0
        ? options.Context
        : options.Context with { ContextLength = trainedLength > 0 ? Math.Min(trainedLength, LengthWithinLimit) : LengthWithinLimit };

    private static async Task<GenerationSession?> MakeSessionAsync(MoeModel model, ContextOptions context)
    {
        try
        {
            return await model.CreateSessionAsync(context).ConfigureAwait(false);
        }
        catch (NotSupportedException) when (context.Speculation is null)
        {
            // The model is an encoder. If speculation is enabled, the exception could have that cause instead, so it is not caught.
            return null;
        }
    }
}
