using Microsoft.Extensions.AI;
using MoeOffload.Embeddings;
using MoeOffload.Extensions.AI;
using MoeOffload.Hosting.Settings;
using MoeOffload.Shared;

namespace MoeOffload.Hosting.Models;

/// <summary>Represents a loaded model with what uses it.</summary>
internal sealed class ModelParts : IAsyncDisposable
{
    private readonly LoadedCompanions _companions;

    private ModelParts(MoeModel model, LoadedCompanions companions, GenerationSession? session, Embedder? embedder, HostedModelOptions options)
    {
        Model = model;
        _companions = companions;
        Session = session;
        Embedder = embedder;
        string id = ModelFiles.IdOf(options);
        ChatClient = session?.AsChatClient(options.ChatClient with { ModelId = id });
        EmbeddingGenerator = embedder?.AsEmbeddingGenerator(id);
    }

    public MoeModel Model { get; }

    /// <summary>Gets the session, or <see langword="null"/> if the options do not request one.</summary>
    public GenerationSession? Session { get; }

    /// <summary>Gets the embedder, or <see langword="null"/> if the options do not request one.</summary>
    public Embedder? Embedder { get; }

    public IChatClient? ChatClient { get; }

    public IEmbeddingGenerator<string, Embedding<float>>? EmbeddingGenerator { get; }

    /// <summary>Loads a model and creates what uses it. If a step fails, everything that was created before is freed.</summary>
    /// <param name="path">The path of the model's file.</param>
    /// <param name="companions">The files that are loaded together with it.</param>
    /// <param name="options">The options.</param>
    /// <param name="load">The options for loading, with a logger.</param>
    /// <param name="progress">Receives the progress, from 0 to 1.</param>
    /// <param name="cancellationToken">A token that cancels the load.</param>
    public static async Task<ModelParts> LoadAsync(
        string path, ModelCompanions companions, HostedModelOptions options, ModelOptions load, IProgress<float> progress, CancellationToken cancellationToken)
    {
        MoeModel model = await MoeModel.LoadAsync(path, load, progress, cancellationToken).ConfigureAwait(false);
        LoadedCompanions? loaded = null;
        GenerationSession? session = null;
        try
        {
            loaded = await LoadedCompanions.LoadAsync(
                model, companions, load, (file, draft) => MoeModel.LoadAsync(file, draft, progress: null, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (options.Context is { } context)
            {
                session = await model.CreateSessionAsync(loaded.ApplyTo(context), cancellationToken).ConfigureAwait(false);
            }

            Embedder? embedder = options.Embedding is { } embedding
                ? await PooledEmbedder.CreateAsync(model, embedding, cancellationToken).ConfigureAwait(false)
                : null;
            return new ModelParts(model, loaded, session, embedder, options);
        }
        catch
        {
            await FreeAsync(model, loaded, session, embedder: null).ConfigureAwait(false);
            throw;
        }
    }

    public ValueTask DisposeAsync() => new(FreeAsync(Model, _companions, Session, Embedder));

    // What uses a model is freed before it. Its memory would stay allocated otherwise.
    private static async Task FreeAsync(MoeModel model, LoadedCompanions? companions, GenerationSession? session, Embedder? embedder)
    {
        if (embedder is not null)
        {
            await embedder.DisposeAsync().ConfigureAwait(false);
        }

        if (session is not null)
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }

        companions?.Dispose();
        await model.DisposeAsync().ConfigureAwait(false);
    }
}
