using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Gguf;

[TestFixture]
public sealed class TinyModelsTests
{
    private static IEnumerable<TinyModel> Models => [.. TinyModels.All, .. TinyModels.Quantized];

    [TestCaseSource(nameof(Models))]
    public void Model_has_the_experts_that_its_shape_says(TinyModel model)
    {
        var file = GgufModelFiles.Open(model.Path);

        file.Metadata.TryGetString(GgufKeys.Architecture, out var architecture).Should().BeTrue();
        architecture.Should().Be(model.Shape.Architecture);
        file.Metadata.TryGetInt32($"{architecture}.expert_count", out var experts);
        experts.Should().Be(model.Shape.Experts);
        var expertTensors = file.Tensors.Where(tensor => tensor.Name.EndsWith("_exps.weight", StringComparison.Ordinal)).ToList();
        expertTensors.Should().HaveCount(3 * model.Shape.ExpertLayers);
        expertTensors.Select(tensor => (tensor.Type, tensor.Dimensions[2])).Distinct()
            .Should().BeEquivalentTo(experts == 0 ? [] : new[] { (model.Options.WeightType, (long)experts) });
    }

    [Test]
    public void Model_is_made_once_and_lies_under_an_awkward_path()
    {
        var first = TinyModels.Llama(new TinyModelOptions { Seed = 7 });
        var second = TinyModels.Llama(new TinyModelOptions { Seed = 7 });

        first.Should().BeSameAs(second);
        first.Path.Should().Contain("ö").And.Contain(" ");
    }

    [Test]
    public void Same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        var small = new TinyModelOptions { Layers = 1, VocabularySize = 512 };
        var one = File.ReadAllBytes(TinyModels.PhiMoe(small).Path);
        var again = File.ReadAllBytes(TinyModels.PhiMoe(small with { ContextLength = 4095 }).Path);
        var other = File.ReadAllBytes(TinyModels.PhiMoe(small with { Seed = 2 }).Path);

        again.AsSpan(^100_000).SequenceEqual(one.AsSpan(^100_000)).Should().BeTrue();
        other.AsSpan(^100_000).SequenceEqual(one.AsSpan(^100_000)).Should().BeFalse();
    }
}
