using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Embeddings;
using MoeOffload.Inference;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>The number of threads of a context changes between two steps.</summary>
[TestFixture]
public sealed class AdaptiveThreadsTests
{
    private static readonly int[] s_counts = [1, 3, 2, 3, 1, 4, 4, 2];

    [Test]
    public void Steps_with_changing_numbers_of_threads_compute_the_same()
    {
        using NativeContext changing = Make();
        using NativeContext single = Make();
        for (int position = 0; position < s_counts.Length; position++)
        {
            changing.UseThreads(s_counts[position]);
            Compute(changing, position).Should().Equal(Compute(single, position));
        }
    }

    [Test]
    public async Task Session_tells_how_many_threads_computed()
    {
        await using GenerationSession session = SmallModel.Shared.CreateSession(new ContextOptions { ContextLength = 512 });
        session.Statistics.ThreadCount.Should().Be(session.Threads);

        await SmallModel.Read(session.GenerateAsync("To be", new SamplingOptions { IgnoreEndOfSequence = true }, 400));

        session.Statistics.ThreadCount.Should().BeInRange(1, session.Threads);
    }

    [TestCase(2, null)]
    [TestCase(2, 3)]
    [TestCase(null, 2)]
    public async Task Number_that_is_set_stays(int? decode, int? prompt)
    {
        await using GenerationSession session = SmallModel.Shared.CreateSession(new ContextOptions
        {
            ContextLength = 512,
            Threads = { Decode = decode, Prompt = prompt },
        });

        await SmallModel.Read(session.GenerateAsync("To be", new SamplingOptions { IgnoreEndOfSequence = true }, 100));

        session.Statistics.ThreadCount.Should().Be(decode ?? ThreadOptions.DefaultDecode);
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(512)]
    public async Task Reserved_cores_are_left_out_of_the_default(int reserved)
    {
        await using GenerationSession session = SmallModel.Shared.CreateSession(new ContextOptions
        {
            ContextLength = 512,
            Threads = { ReservedCores = reserved },
        });

        session.Threads.Should().Be(Math.Max(1, ThreadOptions.DefaultDecode - reserved));
        session.PromptThreads.Should().Be(session.Threads);
    }

    [Test]
    public async Task Drafts_of_another_model_are_computed_with_the_same_threads()
    {
        await using GenerationSession session = SmallModel.Shared.CreateSession(new ContextOptions
        {
            ContextLength = 1024,
            Speculation = new SpeculationOptions { DraftModel = SmallModel.Shared, MinAcceptanceRate = 0 },
        });

        List<GeneratedToken> tokens = await SmallModel.Read(
            session.GenerateAsync("To be", SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, 400));

        tokens.Should().HaveCount(400);
    }

    [Test]
    public async Task Embedder_adapts_too()
    {
        await using Embedder embedder = SmallModel.Shared.CreateEmbedder(new EmbeddingOptions { ContextLength = 512, Pooling = EmbeddingPooling.Mean });
        IReadOnlyList<TextEmbedding> embeddings = await embedder.EmbedAsync([.. Enumerable.Repeat(new int[200], 60)]);
        embeddings.Should().HaveCount(60);
        embeddings.Should().AllSatisfy(embedding => embedding.TokenCount.Should().Be(200));
    }

    private static NativeContext Make() => NativeContext.Create(
        SmallModel.Shared.Native.Handle, new ContextParameters(SmallModel.Context(), expertsOffloaded: false).ToSettings(), NullLogger.Instance);

    private static float[] Compute(NativeContext context, int position)
    {
        context.ClearBatch();
        context.Add(100 + position, position, sequence: 0, wantsLogits: true);
        context.Decode().Should().Be(DecodeResult.Done);
        float[] logits = new float[context.VocabularySize];
        context.CopyLogits(0, logits);
        return logits;
    }
}
