using MoeOffload.Embeddings;

namespace MoeOffload.Shared;

/// <summary>Creates embedders for callers that want one vector for each text, whichever the model is.</summary>
internal static class PooledEmbedder
{
    /// <summary>Creates an embedder, with mean pooling if neither the options nor the model specify a pooling type.</summary>
    /// <inheritdoc cref="MoeModel.CreateEmbedderAsync"/>
    public static async Task<Embedder> CreateAsync(MoeModel model, EmbeddingOptions options, CancellationToken cancellationToken = default)
    {
        Embedder embedder = await model.CreateEmbedderAsync(options, cancellationToken).ConfigureAwait(false);
        if (embedder.Pooling is not null)
        {
            return embedder;
        }

        await embedder.DisposeAsync().ConfigureAwait(false);
        return await model.CreateEmbedderAsync(options with { Pooling = EmbeddingPooling.Mean }, cancellationToken).ConfigureAwait(false);
    }
}
