using FluentAssertions;
using Microsoft.Extensions.AI;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>An embedding generator on a model with random weights.</summary>
[TestFixture]
public sealed class EmbeddingGeneratorTests
{
    [Test]
    public async Task Embeddings_are_those_of_the_embedder_with_usage_and_metadata()
    {
        using MoeModel model = await MoeModel.LoadAsync(TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }).Path);
        await using Embedder embedder = await model.CreateEmbedderAsync(new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Mean });
        using IEmbeddingGenerator<string, Embedding<float>> generator = embedder.AsEmbeddingGenerator("tiny");

        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(["To be", "or not to be"]);

        embeddings.Should().HaveCount(2);
        embeddings[1].Vector.ToArray().Should().Equal((await embedder.EmbedAsync("or not to be")).Vector.ToArray());
        embeddings[0].ModelId.Should().Be("tiny");
        embeddings.Usage!.InputTokenCount.Should().BePositive();
        generator.GetService<EmbeddingGeneratorMetadata>().Should().BeEquivalentTo(
            new { ProviderName = "moeoffload", DefaultModelId = "tiny", DefaultModelDimensions = embedder.Dimension });
        generator.GetService<Embedder>().Should().BeSameAs(embedder);
        (await generator.GenerateAsync([])).Should().BeEmpty();
        await FluentActions.Awaiting(() => generator.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 1 }))
            .Should().ThrowAsync<NotSupportedException>().WithMessage($"*{embedder.Dimension}*");
        await FluentActions.Awaiting(() => generator.GenerateAsync(["a"], new EmbeddingGenerationOptions { ModelId = "other" }))
            .Should().ThrowAsync<NotSupportedException>().WithMessage("*'other'*");
    }
}
