using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics;

/// <summary>A session that counts experts says what the routers of its model truly chose.</summary>
[TestFixture]
public sealed class ExpertActivityTests
{
    private const int PromptLength = 11;
    private const int Generated = 6;
    private const int Computed = PromptLength + Generated - 1; // the last token is not computed any further

    private static readonly int[] s_prompt = [.. Enumerable.Range(300, PromptLength)];

    // What the prefix cache holds is not computed, and so not counted.
    private static ContextOptions Counting => Generations.SmallContext with { CountExperts = true, PrefixCache = new PrefixCacheOptions { Enabled = false } };

    private static IEnumerable<TinyModel> Models =>
        [.. TinyModels.All.Where(model => model.Shape.Experts > 0), TinyModels.Llama(new TinyModelOptions { Experts = 4 })];

    [TestCaseSource(nameof(Models))]
    public void Counts_of_each_layer_add_up_to_its_tokens_times_the_experts_used(TinyModel tiny)
    {
        using MoeModel model = Load(tiny.Path);
        using GenerationSession session = model.CreateSession(Counting);

        Generate(session);

        ExpertActivity activity = session.ExpertActivity!;
        ShouldAddUp(activity, tiny.Shape);
        activity.LayerCount.Should().Be(tiny.Shape.Layers);
        activity.ExpertCount.Should().Be(tiny.Shape.Experts);
        activity.Layers.Should().Equal(Enumerable.Range(tiny.Shape.LeadingDenseLayers, tiny.Shape.ExpertLayers));
        activity.TokenCount.Should().Be(Computed);
        activity.Layers.SkipLast(1).Should().OnlyContain(layer => activity.GetTokenCount(layer) == Computed);

        // Only gpt-oss drops tokens that are not sampled from after its last layer, instead of in it.
        activity.GetTokenCount(activity.Layers[^1]).Should().Be(tiny.Shape.Architecture == "gpt-oss" ? Computed : Generated);
    }

    [Test]
    public void Layers_without_a_router_have_no_counts()
    {
        using MoeModel model = Load(TinyModels.DeepSeek().Path);
        using GenerationSession session = model.CreateSession(Counting);

        Generate(session);

        session.ExpertActivity!.GetTokenCount(0).Should().Be(0);
        session.ExpertActivity!.GetCounts(0).ToArray().Should().OnlyContain(count => count == 0);
        session.ExpertActivity!.Layers.Should().Equal(1, 2);
    }

    [Test]
    public void Experts_that_the_router_must_choose_are_the_ones_that_are_counted()
    {
        TinyModel tiny = TinyModels.GptOss();
        using MoeModel model = Load(WithFavourites(tiny));
        using GenerationSession session = model.CreateSession(Counting);

        Generate(session);

        ExpertActivity activity = session.ExpertActivity!;
        foreach (int layer in activity.Layers)
        {
            for (int expert = 0; expert < activity.ExpertCount; expert++)
            {
                bool isChosen = Favourites(layer).Contains(expert);
                activity.GetCounts(layer)[expert].Should().Be(isChosen ? Computed : 0, "layer {0}, expert {1}", layer, expert);
                activity.GetShare(layer, expert).Should().Be(isChosen ? 0.25 : 0);
            }
        }

        activity.Layers.Should().HaveCount(tiny.Shape.Layers);
    }

    [TestCaseSource(nameof(Models))]
    public void Tokens_and_their_probabilities_are_the_same_with_and_without_counting(TinyModel tiny)
    {
        using MoeModel model = Load(tiny.Path);
        using GenerationSession counting = model.CreateSession(Counting);
        using GenerationSession plain = model.CreateSession(Generations.SmallContext);

        Generate(counting).Should().Equal(Generate(plain));
    }

    [Test]
    public void Micro_batches_do_not_change_the_counts([Values(1, 4, 512)] int size)
    {
        TinyModel tiny = TinyModels.GptOss();
        using MoeModel model = Load(WithFavourites(tiny));
        using GenerationSession session = model.CreateSession(Counting with { MicroBatchSize = size });

        Generate(session);

        ShouldAddUp(session.ExpertActivity!, tiny.Shape);
        Counts(session).Where(count => count > 0).Should().Equal(Enumerable.Repeat((long)Computed, tiny.Shape.Layers * tiny.Shape.ExpertsUsed));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Counts_are_the_same_wherever_layers_and_experts_are(bool expertsToCpu)
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        using MoeModel onCpu = Load(tiny.Path);
        using GenerationSession expected = onCpu.CreateSession(Counting);
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = device.Load(tiny, expertsToCpu ? TensorPlacement.ExpertsToCpu() : TensorPlacement.Default);
        using GenerationSession session = model.CreateSession(Counting);

        Generate(session).Select(token => token.Id).Should().Equal(Generate(expected).Select(token => token.Id));

        Counts(session).Should().Equal(Counts(expected));
    }

    [Test]
    public async Task A_server_that_is_lost_while_its_choices_are_read_fails_the_generation()
    {
        var limit = TimeSpan.FromSeconds(20);
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = device.Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Counting with { ContextLength = 4096 });
        int read = 0;

        Func<Task> generating = async () =>
        {
            await foreach (GeneratedToken token in session.GenerateAsync("Once upon a time", SamplingOptions.Greedy))
            {
                if (++read == 3)
                {
                    device.Server.Kill();
                }
            }
        };

        (await generating.Should().ThrowWithinAsync<InferenceException>(limit)).WithMessage("RPC server * was lost*");
        session.ExpertActivity!.TokenCount.Should().BeGreaterThanOrEqualTo(read);
        await session.DisposeAsync().AsTask().WaitAsync(limit);
    }

    [Test]
    public void Sequences_that_run_at_once_are_counted_together()
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        using MoeModel model = Load(tiny.Path);
        using GenerationSession session = model.CreateSession(Counting with { SequenceCount = 3 });

        Task.WaitAll([.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => Generate(session)))]);

        ShouldAddUp(session.ExpertActivity!, tiny.Shape);
        session.ExpertActivity!.TokenCount.Should().Be(3 * Computed);
    }

    [Test]
    public void Activity_since_an_earlier_moment_is_that_of_the_tokens_between()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe().Path);
        using GenerationSession session = model.CreateSession(Counting);
        Generate(session);
        ExpertActivity first = session.ExpertActivity!;
        Generate(session);
        ExpertActivity second = session.ExpertActivity!;

        first.TokenCount.Should().Be(Computed, "a snapshot stays what it was");
        second.TokenCount.Should().Be(2 * Computed);
        Counts(second.Since(first)).Should().Equal(Counts(first), "the same text was generated twice");
        second.Since(second).Layers.Should().BeEmpty();
    }

    [Test]
    public void Snapshots_that_are_taken_while_tokens_are_generated_hold_together()
    {
        TinyModel tiny = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2 });
        using MoeModel model = Load(tiny.Path);
        using GenerationSession session = model.CreateSession(Counting with { ContextLength = 2048 });
        ExpertActivity before = session.ExpertActivity!;
        int changes = 0;
        Task generating = Task.Run(() =>
        {
            // Until it was read while it changed, however busy the machine is.
            do
            {
                Generate(session, 1000).Count.Should().Be(1000);
            }
            while (Volatile.Read(ref changes) <= 10);
        });

        while (!generating.IsCompleted)
        {
            ExpertActivity now = session.ExpertActivity!;
            ShouldAddUp(now, tiny.Shape);
            Volatile.Write(ref changes, changes + (now.Since(before).TokenCount > 0 ? 1 : 0));
            before = now;
        }

        generating.GetAwaiter().GetResult();
    }

    [Test]
    public void Counting_in_steady_state_allocates_nothing_for_a_token()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SteadyState.Context with { CountExperts = true });

        SteadyState.Poll(session, new GenerationRequest
        {
            Prompt = "To be",
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = SteadyState.MaxTokens,
        });
    }

    [Test]
    public void A_session_that_does_not_count_has_no_activity()
    {
        using MoeModel model = Load(TinyModels.Olmoe().Path);
        using GenerationSession session = model.CreateSession(Generations.SmallContext);

        Generate(session);

        session.ExpertActivity.Should().BeNull();
    }

    [Test]
    public void A_dense_model_refuses_to_count()
    {
        using MoeModel model = Load(TinyModels.Llama().Path);

        FluentActions.Invoking(() => model.CreateSession(Counting)).Should().Throw<ArgumentException>()
            .WithMessage("*is a dense model*Set CountExperts to false*").Which.ParamName.Should().Be(nameof(ContextOptions.CountExperts));
    }

    [Test]
    public void Activity_before_the_first_token_is_empty_and_after_disposal_an_error()
    {
        using MoeModel model = Load(TinyModels.Olmoe().Path);
        GenerationSession session = model.CreateSession(Counting);

        session.ExpertActivity!.TokenCount.Should().Be(0);
        session.ExpertActivity!.Layers.Should().BeEmpty();
        session.Dispose();
        FluentActions.Invoking(() => session.ExpertActivity).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public void Counting_does_not_change_an_estimate()
    {
        string path = TinyModels.Olmoe().Path;

        MoeModel.EstimateMemory(path, context: Counting).ToString().Should().Be(MoeModel.EstimateMemory(path, context: Generations.SmallContext).ToString());
    }

    private static MoeModel Load(string path) => MoeModel.Load(path, new ModelOptions { Devices = [] });

    private static List<(int Id, float LogProbability)> Generate(GenerationSession session, int count = Generated)
    {
        var request = new GenerationRequest
        {
            PromptTokens = s_prompt,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 0 },
            MaxTokens = count,
        };
        using TokenStream stream = session.GenerateAsync(request);
        List<(int, float)> tokens = [.. stream.ToBlockingEnumerable().Select(token => (token.Id, token.LogProbability))];
        tokens.Should().HaveCount(count);
        return tokens;
    }

    private static void ShouldAddUp(ExpertActivity activity, TinyShape shape)
    {
        for (int layer = 0; layer < activity.LayerCount; layer++)
        {
            activity.GetCounts(layer).ToArray().Sum().Should().Be(activity.GetTokenCount(layer) * shape.ExpertsUsed, "layer {0}", layer);
        }
    }

    private static long[] Counts(GenerationSession session) => Counts(session.ExpertActivity!);

    private static long[] Counts(ExpertActivity activity) =>
        [.. Enumerable.Range(0, activity.LayerCount).SelectMany(layer => activity.GetCounts(layer).ToArray())];

    private static int[] Favourites(int layer) => [layer, layer + 5, layer + 11, 31 - layer];

    // The router's bias decides alone, whatever its weights make of a token.
    private static string WithFavourites(TinyModel tiny)
    {
        GgufFile file = GgufFile.Open(tiny.Path);
        return AlteredModels.AlterBytes(tiny, bytes =>
        {
            for (int layer = 0; layer < tiny.Shape.Layers; layer++)
            {
                file.TryGetTensor($"blk.{layer}.ffn_gate_inp.bias", out GgufTensorInfo? bias).Should().BeTrue();
                float[] values = new float[tiny.Shape.Experts];
                Array.ForEach(Favourites(layer), expert => values[expert] = 1000);
                Buffer.BlockCopy(values, 0, bytes, (int)(file.DataOffset + bias!.Offset), values.Length * sizeof(float));
            }

            return bytes;
        });
    }
}
