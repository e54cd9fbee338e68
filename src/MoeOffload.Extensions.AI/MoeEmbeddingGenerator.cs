using Microsoft.Extensions.AI;
using MoeOffload.Embeddings;

namespace MoeOffload.Extensions.AI;

/// <summary>Generates embeddings with an embedder.</summary>
/// <param name="embedder">The embedder.</param>
/// <param name="modelId">The id of the model, or null.</param>
internal sealed class MoeEmbeddingGenerator(Embedder embedder, string? modelId) : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly EmbeddingGeneratorMetadata _metadata = new(ClientTelemetry.Provider, providerUri: null, modelId, embedder.Dimension);

    /// <inheritdoc/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        Refuse(options);
        string[] texts = [.. values];
        if (texts.Length == 0)
        {
            return [];
        }

        ClientTelemetry telemetry = ClientTelemetry.Start(ClientTelemetry.Embeddings, modelId);
        IReadOnlyList<TextEmbedding> embeddings;
        try
        {
            embeddings = await embedder.EmbedAsync(texts, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            telemetry.Fail(failure);
            throw;
        }

        DateTimeOffset now = DateTimeOffset.UtcNow;
        long tokens = embeddings.Sum(embedding => (long)embedding.TokenCount);
        var usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        telemetry.End(usage);
        return new GeneratedEmbeddings<Embedding<float>>(
            embeddings.Select(embedding => new Embedding<float>(embedding.Vector) { ModelId = modelId, CreatedAt = now }))
        {
            Usage = usage,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(Embedder) ? embedder
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The embedder belongs to the caller.
    }

    private void Refuse(EmbeddingGenerationOptions? options)
    {
        if (options?.Dimensions is { } dimensions && dimensions != embedder.Dimension)
        {
            throw new NotSupportedException($"The model has {embedder.Dimension} dimensions, but {dimensions} were requested. Remove Dimensions.");
        }

        if (options?.ModelId is { } asked && modelId is not null && asked != modelId)
        {
            throw new NotSupportedException($"The generator uses the model '{modelId}', but '{asked}' was requested. Remove ModelId.");
        }
    }
}
