using Microsoft.Extensions.AI;

namespace MoeOffload.Hosting.Models;

/// <summary>Passes requests on to the embedding generator of a model when it is loaded.</summary>
internal sealed class HostedEmbeddingGenerator(HostedModel model) : IEmbeddingGenerator<string, Embedding<float>>
{
    private const string Provider = "moeoffload";

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        IEmbeddingGenerator<string, Embedding<float>> generator = await model.GetEmbeddingGeneratorAsync(cancellationToken).ConfigureAwait(false);
        return await generator.GenerateAsync(values, options, cancellationToken).ConfigureAwait(false);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType == typeof(HostedModel) ? model
            : model.Parts?.EmbeddingGenerator is { } generator ? generator.GetService(serviceType)
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata(Provider, providerUri: null, model.Id)
            : null;
    }

    public void Dispose()
    {
        // The model belongs to the host.
    }
}
