using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Embeddings and adapters of a model whose experts lie in system memory and all else on a second device.</summary>
[TestFixture]
public sealed class DeviceExtrasTests
{
    private const string Prompt = "To be, or not to be, that is the question";

    private SecondDevice _device = null!;
    private MoeModel _model = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _device = SecondDevice.Start();
        _model = _device.Load(SmallModel.File, TensorPlacement.ExpertsToCpu());
    }

    [OneTimeTearDown]
    public void Stop()
    {
        _model.Dispose();
        _device.Dispose();
    }

    [Test]
    public async Task Embeddings_are_those_of_the_cpu()
    {
        var options = new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Last, Threads = { Decode = 1 } };
        await using Embedder here = SmallModel.Shared.CreateEmbedder(options);
        await using Embedder there = _model.CreateEmbedder(options);
        there.Memory.Devices.Should().Contain(use => use.Device == _device.Name && use.ContextBytes > 0);
        Vectors.Difference(await there.EmbedAsync(Prompt), await here.EmbedAsync(Prompt)).Should().BeLessThan(0.01f);
    }

    [Test]
    public async Task Tokens_with_an_adapter_are_those_of_the_cpu()
    {
        string path = TinyAdapters.Write(SmallModel.File, name => TinyAdapters.IsAttention(name) || TinyAdapters.IsExperts(name));
        int[] plain = await Continue(_model, null);
        int[] there = await Continue(_model, path);
        there.Should().Equal(await Continue(SmallModel.Shared, path)).And.NotEqual(plain);
        (await Continue(_model, null)).Should().Equal(plain);
    }

    private static async Task<int[]> Continue(MoeModel model, string? adapterPath)
    {
        using LoraAdapter? adapter = adapterPath is null ? null : model.LoadAdapter(adapterPath);
        await using GenerationSession session = model.CreateSession(
            SmallModel.Context() with { Adapters = adapter is null ? [] : [new ScaledAdapter(adapter)] });
        return await SmallModel.Greedy(session, Prompt, 16);
    }
}
