using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Options of a context that mean nothing, contradict each other or do not fit are refused with a reason.</summary>
[TestFixture]
public sealed class ContextOptionsTests
{
    public static IEnumerable<TestCaseData> Wrong()
    {
        foreach (int value in (int[])[-1, int.MinValue, int.MaxValue])
        {
            yield return Case(nameof(ContextOptions.ContextLength), new() { ContextLength = value });
            yield return Case(nameof(ContextOptions.SequenceCount), new() { SequenceCount = value });
            yield return Case(nameof(ContextOptions.BatchSize), new() { BatchSize = value });
            yield return Case(nameof(ContextOptions.MicroBatchSize), new() { MicroBatchSize = value });
            yield return Case(nameof(ContextOptions.PromptTokensPerStep), new() { PromptTokensPerStep = value });
            yield return Case(nameof(ContextOptions.QueueLimit), new() { QueueLimit = value });
            yield return Case(nameof(ThreadOptions.Decode), new() { Threads = { Decode = value } });
            yield return Case(nameof(ThreadOptions.Prompt), new() { Threads = { Prompt = value } });
            yield return Case(nameof(ThreadOptions.ReservedCores), new() { Threads = { ReservedCores = value } });
        }

        yield return Case(nameof(ContextOptions.SequenceCount), new() { SequenceCount = 0 });
        yield return Case(nameof(ContextOptions.BatchSize), new() { BatchSize = 0 });
        yield return Case(nameof(ContextOptions.MicroBatchSize), new() { MicroBatchSize = 0 });
        yield return Case(nameof(ContextOptions.PromptTokensPerStep), new() { PromptTokensPerStep = 0 });
        yield return Case(nameof(SpeculationOptions.MaxDraftTokens), new() { Speculation = new SpeculationOptions { MaxDraftTokens = 0 } });
        yield return Case(nameof(SpeculationOptions.MaxDraftTokens), new() { Speculation = new SpeculationOptions { MaxDraftTokens = 65 } });
        yield return Case(nameof(SpeculationOptions.MinAcceptanceRate), new() { Speculation = new SpeculationOptions { MinAcceptanceRate = 1.1f } });
        yield return Case(nameof(SpeculationOptions.MaxNgramSize), new() { Speculation = new SpeculationOptions { MaxNgramSize = 0 } });
        yield return Case(nameof(SpeculationOptions.MinNgramSize), new() { Speculation = new SpeculationOptions { MinNgramSize = 5 } });
        yield return Case(nameof(PrefixCacheOptions.HostBytes), new() { PrefixCache = { HostBytes = -1 } });
        yield return Case(nameof(ContextOptions.BatchSize), new() { BatchSize = 2, SequenceCount = 3 });
        yield return Case(nameof(ContextOptions.ContextLength), new() { ContextLength = 2, SequenceCount = 3 });
        yield return Case(nameof(ThreadOptions.Decode), new() { Threads = { Decode = 0 } });
        yield return Case(nameof(ThreadOptions.Priority), new() { Threads = { Priority = (ComputePriority)2 } });
        yield return Case(nameof(ContextOptions.FlashAttention), new() { FlashAttention = (FlashAttention)3 });
        yield return Case(nameof(KvCacheOptions.KeyType), new() { KvCache = { KeyType = (GgmlType)999 } });
        yield return Case(nameof(KvCacheOptions.KeyType), new() { KvCache = { KeyType = GgmlType.Q4_K } });
        yield return Case(nameof(KvCacheOptions.ValueType), new() { KvCache = { ValueType = GgmlType.I32 } });
        yield return Case(nameof(KvCacheOptions.ValueType), new() { KvCache = { ValueType = GgmlType.Q8_0 }, FlashAttention = FlashAttention.Off });
        yield return Case(nameof(RopeOptions.Scaling), new() { Rope = { Scaling = (RopeScaling)77 } });
        yield return Case(nameof(RopeOptions.YarnOriginalContextLength), new() { Rope = { YarnOriginalContextLength = 0 } });
        foreach (float value in (float[])[-1, float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            yield return Case(nameof(RopeOptions.FrequencyBase), new() { Rope = { FrequencyBase = value } });
            yield return Case(nameof(RopeOptions.FrequencyScale), new() { Rope = { FrequencyScale = value } });
            yield return Case(nameof(RopeOptions.YarnExtrapolationFactor), new() { Rope = { YarnExtrapolationFactor = value } });
            yield return Case(nameof(RopeOptions.YarnAttentionFactor), new() { Rope = { YarnAttentionFactor = value } });
            yield return Case(nameof(RopeOptions.YarnBetaFast), new() { Rope = { YarnBetaFast = value } });
            yield return Case(nameof(RopeOptions.YarnBetaSlow), new() { Rope = { YarnBetaSlow = value } });
        }

        static TestCaseData Case(string name, ContextOptions options) => new(name, options);
    }

    [TestCaseSource(nameof(Wrong))]
    public void CreateSession_with_an_option_out_of_range_names_it(string name, ContextOptions options) =>
        FluentActions.Invoking(() => SmallModel.Shared.CreateSession(options))
            .Should().Throw<ArgumentException>().Which.ParamName.Should().Be(name);

    [Test]
    public async Task Session_with_extreme_options_that_are_allowed_generates()
    {
        var options = new ContextOptions
        {
            ContextLength = 1,
            BatchSize = 1,
            MicroBatchSize = 1,
            Threads = { Decode = 1, Prompt = 2 },
            KvCache = { KeyType = GgmlType.F32, ValueType = GgmlType.F32 },
            Rope = { FrequencyBase = 1, FrequencyScale = 1000 },
        };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [TestCase(1 << 24)]
    [TestCase(1 << 28)]
    public void CreateSession_with_a_context_beyond_the_memory_says_what_it_would_take(int length)
    {
        var options = new ContextOptions { ContextLength = length, SequenceCount = 4, KvCache = { KeyType = GgmlType.F32, ValueType = GgmlType.F32 } };
        using MoeModel model = MoeModel.Load(TinyModels.PhiMoe(new TinyModelOptions { Experts = 4 }).Path);
        FluentActions.Invoking(() => model.CreateSession(options))
            .Should().Throw<InferenceException>().WithMessage($"*{length}*MiB on Host*MiB are free*ContextLength*");
    }

    [Test]
    public void EstimateMemory_of_a_context_whose_cells_alone_fill_the_memory_says_so() =>
        FluentActions.Invoking(() => MoeModel.EstimateMemory(SmallModel.File.Path, null, new ContextOptions { ContextLength = 1 << 28 }))
            .Should().Throw<InferenceException>().WithMessage("*MiB are free*");

    [Test]
    public void CreateSession_with_a_large_context_that_fits_takes_what_was_estimated()
    {
        ContextOptions options = SmallModel.Context(1 << 17);
        MemoryBreakdown estimate = MoeModel.EstimateMemory(SmallModel.File.Path, null, options);
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        session.ContextLength.Should().Be(1 << 17);
        session.Memory.Total.ContextBytes.Should().Be(estimate.Total.ContextBytes);
        session.Memory.Total.ComputeBytes.Should().Be(estimate.Total.ComputeBytes);
    }

    [TestCase(GgmlType.Q8_0)]
    [TestCase(GgmlType.Q4_0)]
    [TestCase(GgmlType.IQ4_NL)]
    public async Task Session_with_a_quantized_cache_generates(GgmlType type)
    {
        ContextOptions options = SmallModel.Context() with { KvCache = new KvCacheOptions { KeyType = type, ValueType = type } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [TestCase(GgmlType.Q8_0, null)]
    [TestCase(null, GgmlType.Q4_0)]
    public void CreateSession_with_a_type_whose_blocks_do_not_divide_a_head_gives_llama_cpps_reason(GgmlType? keys, GgmlType? values)
    {
        using MoeModel model = MoeModel.Load(TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 8, HeadLength = 48 }).Path);
        ContextOptions options = SmallModel.Context() with { KvCache = new KvCacheOptions { KeyType = keys, ValueType = values } };
        FluentActions.Invoking(() => model.CreateSession(options))
            .Should().Throw<InferenceException>().WithMessage("*cache type*block size 32*does not divide*48*");
    }
}
