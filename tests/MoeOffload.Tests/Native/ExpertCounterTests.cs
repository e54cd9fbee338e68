using System.Text;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using MoeOffload.Inference;
using MoeOffload.Native;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

/// <summary>The counter that contexts share, and the shim's part of it.</summary>
[TestFixture]
public sealed unsafe class ExpertCounterTests
{
    private const int Tokens = 40;

    private static readonly TinyModel s_tiny = TinyModels.GptOss();

    private MoeModel _model = null!;

    [OneTimeSetUp]
    public void LoadModel() => _model = MoeModel.Load(s_tiny.Path, new ModelOptions { Devices = [] });

    [OneTimeTearDown]
    public void FreeModel() => _model.Dispose();

    [Test]
    public void A_context_that_is_made_again_goes_on_counting()
    {
        using ExpertCounter counter = NewCounter();
        using (NativeContext first = NewContext(counter))
        {
            Decode(first);
        }

        using NativeContext second = NewContext(counter);
        Decode(second);

        Read(counter).TokenCount.Should().Be(2 * Tokens);
    }

    [Test]
    public void Choices_that_are_larger_than_the_scratch_are_read_in_parts([Values(1, 3)] int rows)
    {
        using ExpertCounter whole = NewCounter();
        using ExpertCounter parts = NewCounter();
        parts.Pointer->n_ids = (ulong)(rows * s_tiny.Shape.Experts);
        foreach (ExpertCounter counter in new[] { whole, parts })
        {
            using NativeContext context = NewContext(counter);
            Decode(context);
        }

        ExpertActivity activity = Read(parts);
        activity.TokenCount.Should().Be(Tokens);
        foreach (int layer in activity.Layers)
        {
            activity.GetCounts(layer).ToArray().Should().Equal(Read(whole).GetCounts(layer).ToArray());
        }
    }

    [Test]
    public void Numbers_of_a_layer_belong_together_whenever_they_are_read()
    {
        const int Decodes = 4;
        using ExpertCounter counter = NewCounter();
        using NativeContext context = NewContext(counter, Generations.SmallContext with { ContextLength = 512 });
        Task decoding = Task.Run(() =>
        {
            for (int i = 0; i < Decodes; i++)
            {
                Decode(context, 500);
                context.Remove(0, 0);
            }
        });

        int torn = 0;
        while (!decoding.IsCompleted)
        {
            ExpertActivity activity = Read(counter);
            foreach (int layer in activity.Layers)
            {
                long choices = 0;
                foreach (long count in activity.GetCounts(layer))
                {
                    choices += count;
                }

                torn += choices == activity.GetTokenCount(layer) * s_tiny.Shape.ExpertsUsed ? 0 : 1;
            }
        }

        decoding.GetAwaiter().GetResult();
        torn.Should().Be(0);
        Read(counter).TokenCount.Should().Be(Decodes * 500);
    }

    [Test]
    public void A_counter_lives_as_long_as_its_contexts()
    {
        ExpertCounter counter = NewCounter();
        using (NativeContext context = NewContext(counter))
        {
            counter.Dispose();
            counter.IsClosed.Should().BeFalse();
            Decode(context);
        }

        counter.IsClosed.Should().BeTrue();
    }

    [Test]
    public void A_context_that_was_given_up_keeps_its_counter()
    {
        // The model as well: it must not be one that other tests dispose.
        using MoeModel model = MoeModel.Load(s_tiny.Path, new ModelOptions { Devices = [] });
        ExpertCounter counter = NewCounter();
        NativeContext context = NewContext(counter, model: model);

        context.Abandon();
        context.Dispose();
        counter.Dispose();

        counter.IsClosed.Should().BeFalse();
    }

    [TestCase("ffn_moe_topk-0", true)]
    [TestCase("ffn_moe_topk-3", true)]
    [TestCase("ffn_moe_topk-4", false)]
    [TestCase("ffn_moe_topk--1", false)]
    [TestCase("ffn_moe_topk-99999999999999999999", false)]
    [TestCase("ffn_moe_topk-", false)]
    [TestCase("ffn_moe_topk-1 (view)", false)]
    [TestCase("ffn_moe_topk", false)]
    [TestCase("ffn_moe_argsort-1", false)]
    [TestCase("", false)]
    public void Only_the_choice_of_a_layer_is_asked_for(string name, bool isAskedFor)
    {
        using ExpertCounter counter = NewCounter();
        ggml_tensor tensor = default;
        tensor.type = ggml_type.GGML_TYPE_I32;
        Encoding.UTF8.GetBytes(name, new Span<byte>(tensor.name, 64));

        (ShimApi.moe_count_experts(&tensor, 1, counter.Pointer) != 0).Should().Be(isAskedFor);
        tensor.type = ggml_type.GGML_TYPE_F32;
        ShimApi.moe_count_experts(&tensor, 1, counter.Pointer).Should().Be(0);
    }

    [Test]
    public void Reading_into_too_little_room_is_refused()
    {
        using ExpertCounter counter = NewCounter();
        int size = s_tiny.Shape.Layers * s_tiny.Shape.Experts;
        fixed (long* counts = new long[size], tokens = new long[s_tiny.Shape.Layers])
        {
            nuint layers = (nuint)s_tiny.Shape.Layers;
            ShimApi.moe_expert_counts(counter.Pointer, counts, (nuint)size, tokens, layers, null, 0).Should().Be(moe_status.MOE_STATUS_OK);
            Refused(ShimApi.moe_expert_counts(null, counts, (nuint)size, tokens, layers, null, 0));
            Refused(ShimApi.moe_expert_counts(counter.Pointer, null, (nuint)size, tokens, layers, null, 0));
            Refused(ShimApi.moe_expert_counts(counter.Pointer, counts, (nuint)size, null, layers, null, 0));
            Refused(ShimApi.moe_expert_counts(counter.Pointer, counts, (nuint)size - 1, tokens, layers, null, 0));
            Refused(ShimApi.moe_expert_counts(counter.Pointer, counts, (nuint)size, tokens, layers - 1, null, 0));
        }

        static void Refused(moe_status status) => status.Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
    }

    private static ExpertActivity Read(ExpertCounter counter)
    {
        counter.Read(out long[] counts, out long[] tokens);
        return new ExpertActivity(counter.ExpertCount, counts, tokens);
    }

    private static ExpertCounter NewCounter() => new(s_tiny.Shape.Layers, s_tiny.Shape.Experts);

    private static void Decode(NativeContext context, int count = Tokens)
    {
        context.ClearBatch();
        for (int i = 0; i < count; i++)
        {
            context.Add(300 + i, i, 0, wantsLogits: i == count - 1);
        }

        context.Decode().Should().Be(DecodeResult.Done);
    }

    private NativeContext NewContext(ExpertCounter counter, ContextOptions? options = null, MoeModel? model = null) => NativeContext.Create(
        (model ?? _model).Native.Handle,
        new ContextParameters(options ?? Generations.SmallContext, expertsOffloaded: false).ToSettings(),
        NullLogger.Instance,
        counter: counter);
}
