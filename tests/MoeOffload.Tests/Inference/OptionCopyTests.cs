using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A copy made by <c>with</c> has the values of the original, and its own option groups.</summary>
public sealed class OptionCopyTests
{
    private static readonly ContextOptions s_context = new()
    {
        ContextLength = 64,
        SequenceCount = 2,
        QueueLimit = 3,
        PromptTokensPerStep = 4,
        PrefixCache = { Enabled = false, HostBytes = 5 },
        Speculation = new SpeculationOptions(),
        BatchSize = 6,
        MicroBatchSize = 7,
        LogitsPerStep = 8,
        KvCache = { KeyType = GgmlType.Q8_0 },
        FlashAttention = FlashAttention.On,
        Threads = { Decode = 9 },
        OpOffload = false,
        Rope = { FrequencyBase = 10 },
        CountExperts = true,
        TraceExperts = "a.moetrace",
        Adapters = new List<ScaledAdapter>(),
    };

    private static readonly EmbeddingOptions s_embedding = new()
    {
        Pooling = EmbeddingPooling.Last,
        Normalize = false,
        ParseSpecialTokens = false,
        ContextLength = 64,
        BatchSize = 6,
        SequenceCount = 2,
        FlashAttention = FlashAttention.On,
        Threads = { Prompt = 9 },
        OpOffload = false,
        Adapters = new List<ScaledAdapter>(),
    };

    [Test]
    public void Copy_has_each_value_of_the_original()
    {
        (s_context with { }).Should().Be(s_context);
        (s_embedding with { }).Should().Be(s_embedding);
    }

    [TestCase(typeof(ContextOptions))]
    [TestCase(typeof(EmbeddingOptions))]
    public void Samples_set_each_property_to_another_value_than_its_default(Type type)
    {
        object sample = type == typeof(ContextOptions) ? s_context : s_embedding;
        object defaults = Activator.CreateInstance(type)!;

        type.GetProperties().Where(property => Equals(property.GetValue(sample), property.GetValue(defaults)))
            .Should().BeEmpty("a value that is not copied must differ");
    }

    [Test]
    public void Change_of_a_copys_group_leaves_the_original_alone()
    {
        ContextOptions copy = s_context with { };
        copy.KvCache.KeyType = GgmlType.F32;
        copy.Threads.Decode = 1;
        copy.PrefixCache.HostBytes = 1;
        copy.Rope.FrequencyBase = 1;
        EmbeddingOptions embedding = s_embedding with { };
        embedding.Threads.Prompt = 1;

        (s_context.KvCache.KeyType, s_context.Threads.Decode, s_context.PrefixCache.HostBytes, s_context.Rope.FrequencyBase)
            .Should().Be((GgmlType.Q8_0, 9, 5L, 10f));
        s_embedding.Threads.Prompt.Should().Be(9);
    }
}
