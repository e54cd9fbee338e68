using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

[TestFixture]
public sealed class ContextLengthTests
{
    private const int Trained = 16_384;

    private static readonly TinyModelOptions s_shape = new() { ContextLength = Trained, Layers = 1 };

    [Test]
    public void Context_without_a_length_is_as_long_as_the_model_was_trained_for_if_memory_has_room()
    {
        TinyModel tiny = TinyModels.GptOss(s_shape);

        MemoryBreakdown estimate = MoeModel.EstimateMemory(tiny.Path);
        using MoeModel model = MoeModel.Load(tiny.Path);
        using GenerationSession session = model.CreateSession();

        session.ContextLength.Should().Be(Trained);
        session.Memory.ContextLength.Should().Be(Trained);
        estimate.ContextLength.Should().Be(Trained, "a plan is for the context that is then created");
    }

    [Test]
    public void Context_has_the_length_that_was_set()
    {
        TinyModel tiny = TinyModels.GptOss(s_shape);
        var options = new ContextOptions { ContextLength = 512 };

        using MoeModel model = MoeModel.Load(tiny.Path);
        using GenerationSession session = model.CreateSession(options);

        session.ContextLength.Should().Be(512);
        MoeModel.EstimateMemory(tiny.Path, context: options).ContextLength.Should().Be(512);
    }
}
