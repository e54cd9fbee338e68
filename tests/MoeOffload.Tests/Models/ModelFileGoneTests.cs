using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>A loaded model no longer needs its file. Windows does not allow deleting the file as long as the model is loaded.</summary>
[Platform(Exclude = "Win")]
public sealed class ModelFileGoneTests
{
    // However much memory there is, that of a recurrent model with so many sequences is estimated beforehand, from the header of the file.
    private const int Estimated = 9;

    private MoeModel _model = null!;

    [SetUp]
    public void LoadAndDelete()
    {
        string path = Path.Combine(Path.GetTempPath(), $"moe gone {Guid.NewGuid():N}.gguf");
        File.Copy(TinyModels.Mamba().Path, path);
        _model = MoeModel.Load(path);
        File.Delete(path);
    }

    [TearDown]
    public void Dispose() => _model.Dispose();

    [TestCase(512, 1)]
    [TestCase(512 * Estimated, Estimated)]
    [TestCase(0, Estimated)]
    public void Session_is_created_after_the_file_was_deleted(int contextLength, int sequences)
    {
        using GenerationSession session = _model.CreateSession(new ContextOptions { ContextLength = contextLength, SequenceCount = sequences });

        session.SequenceCount.Should().Be(sequences);
        session.ContextLength.Should().BeGreaterThanOrEqualTo(contextLength);
    }

    [Test]
    public async Task Embedder_is_created_after_the_file_was_deleted()
    {
        await using Embedder embedder = _model.CreateEmbedder(
            new EmbeddingOptions { ContextLength = 256, SequenceCount = Estimated, Pooling = EmbeddingPooling.Last });

        (await embedder.EmbedAsync("Hi")).TokenCount.Should().BePositive();
    }
}
