using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics.Traces;

/// <summary>A session that records says what the routers of its model chose, and computes the same.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ExpertTracingTests : IDisposable
{
    private const int PromptLength = 11;
    private const int Generated = 6;
    private const int Computed = PromptLength + Generated - 1; // the last token is not computed any further

    private static readonly int[] s_prompt = [.. Enumerable.Range(300, PromptLength)];

    private readonly TemporaryDirectory _directory = new();

    private string File => _directory["a.moetrace"];

    private ContextOptions Tracing => Generations.SmallContext with { TraceExperts = File, PrefixCache = new PrefixCacheOptions { Enabled = false } };

    private static IEnumerable<TinyModel> Models =>
        [.. TinyModels.All.Where(model => model.Shape.Experts > 0), TinyModels.Llama(new TinyModelOptions { Experts = 4 })];

    public void Dispose() => _directory.Dispose();

    [TestCaseSource(nameof(Models))]
    public void Trace_has_the_experts_that_are_counted_and_the_text_is_the_same(TinyModel tiny)
    {
        using MoeModel model = Load(tiny);
        using GenerationSession plain = model.CreateSession(Generations.SmallContext);
        using GenerationSession counting = model.CreateSession(Generations.SmallContext with { CountExperts = true, PrefixCache = new PrefixCacheOptions { Enabled = false } });
        List<int> expected = Generate(plain);
        Generate(counting).Should().Equal(expected);
        GenerationSession session = model.CreateSession(Tracing with { CountExperts = true });

        Generate(session).Should().Equal(expected);

        ExpertActivity counted = session.ExpertActivity!;
        session.Dispose();
        ExpertTrace trace = ExpertTrace.Load(File);
        Counts(trace.CountActivity()).Should().Equal(Counts(counted)).And.Equal(Counts(counting.ExpertActivity!));
        (trace.Model.Architecture, trace.Model.ExpertCount, trace.Model.ExpertUsedCount, trace.Model.LayerCount)
            .Should().Be((model.Info.Architecture, tiny.Shape.Experts, tiny.Shape.ExpertsUsed, tiny.Shape.Layers));
        trace.Layers.Should().Equal(counted.Layers);
        trace.TokenCount.Should().Be(Computed);
    }

    [Test]
    public async Task Steps_are_those_of_the_session()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Tracing with { BatchSize = 8, MicroBatchSize = 4 });
        Generate(session);

        ExpertTraceSummary summary = await session.CompleteTraceAsync();

        ExpertTrace trace = await ExpertTrace.LoadAsync(File);
        summary.Should().Be(new ExpertTraceSummary(File, trace.StepCount, trace.TokenCount, new FileInfo(File).Length));
        ExpertTraceStep[] steps = [.. trace.EnumerateSteps()];
        steps.Select(step => (step.TokenCount, step.OutputCount, step.IsComplete)).Should().Equal(
            [(8, 0, true), (3, 1, true), .. Enumerable.Repeat((1, 1, true), Generated - 1)]);
        steps[0].Choices.Where(choices => choices.Layer == 0).Select(choices => choices.TokenCount).Should().Equal(4, 4);
        steps.Select(step => step.IsDecode).Should().Equal([false, false, .. Enumerable.Repeat(true, Generated - 1)]);
    }

    [Test]
    public void Sizes_of_experts_are_those_of_the_files_tensors()
    {
        TinyModel tiny = TinyModels.DeepSeek();
        using (MoeModel model = Load(tiny))
        {
            model.CreateSession(Tracing).Dispose();
        }

        ExpertTraceModel recorded = ExpertTrace.Load(File).Model;

        GgufTensorInfo[] experts = [.. GgufFile.Open(tiny.Path).Tensors.Where(tensor => tensor.Name.EndsWith("_exps.weight", StringComparison.Ordinal))];
        recorded.ExpertBytes[0].Should().Be(0, "the first layer is dense");
        recorded.TotalBytes.Should().Be(experts.Sum(tensor => tensor.ByteCount)).And.BePositive();
        recorded.Fingerprint.Should().MatchRegex("^[0-9a-f]{64}$");
    }

    [Test]
    public async Task Sequences_that_run_at_once_are_recorded_together()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Tracing with { SequenceCount = 3, CountExperts = true });

        Task.WaitAll([.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => Generate(session)))]);

        await session.CompleteTraceAsync();
        ExpertTrace trace = ExpertTrace.Load(File);
        trace.TokenCount.Should().Be(3 * Computed);
        Counts(trace.CountActivity()).Should().Equal(Counts(session.ExpertActivity!));
    }

    [Test]
    public async Task Draft_tokens_are_recorded_and_the_draft_model_is_not()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());
        using MoeModel draft = Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(
            Tracing with { CountExperts = true, Speculation = new SpeculationOptions { DraftModel = draft, MaxDraftTokens = 3 } });

        Generate(session, 24);

        await session.CompleteTraceAsync();
        ExpertTrace trace = ExpertTrace.Load(File);
        Counts(trace.CountActivity()).Should().Equal(Counts(session.ExpertActivity!));
        trace.EnumerateSteps().Should().Contain(step => step.IsDecode && step.TokenCount > 1);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Choices_are_the_same_wherever_layers_and_experts_are(bool expertsToCpu)
    {
        TinyModel tiny = TinyModels.Qwen3Moe();
        using MoeModel onCpu = Load(tiny);
        using GenerationSession expected = onCpu.CreateSession(Generations.SmallContext with { CountExperts = true, PrefixCache = new PrefixCacheOptions { Enabled = false } });
        Generate(expected);
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = device.Load(tiny, expertsToCpu ? TensorPlacement.ExpertsToCpu() : TensorPlacement.Default);
        GenerationSession session = model.CreateSession(Tracing);

        Generate(session);

        session.Dispose();
        Counts(ExpertTrace.Load(File).CountActivity()).Should().Equal(Counts(expected.ExpertActivity!));
    }

    [Test]
    public async Task A_server_that_is_lost_while_its_choices_are_read_fails_the_generation_and_keeps_the_trace()
    {
        var limit = TimeSpan.FromSeconds(20);
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = device.Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Tracing with { ContextLength = 4096 });
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
        await session.DisposeAsync().AsTask().WaitAsync(limit);
        ExpertTrace.Load(File).TokenCount.Should().BeGreaterThanOrEqualTo(read);
    }

    [Test]
    public void Recording_in_steady_state_allocates_nothing_for_a_token()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SteadyState.Context with { TraceExperts = File });

        SteadyState.Poll(session, new GenerationRequest
        {
            Prompt = "To be",
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = SteadyState.MaxTokens,
        });
    }

    [Test]
    public async Task What_is_computed_after_the_trace_was_completed_is_not_in_it()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Tracing);
        Generate(session);
        ExpertTraceSummary first = await session.CompleteTraceAsync();

        Generate(session);

        (await session.CompleteTraceAsync()).Should().Be(first);
        ExpertTrace.Load(File).TokenCount.Should().Be(Computed);
        session.ExpertActivity.Should().BeNull("only the choices are recorded");
    }

    [Test]
    [Platform("Linux")] // has a device that is always full
    public async Task Full_disk_ends_the_recording_and_no_generation()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());
        await using GenerationSession session = model.CreateSession(Tracing with { TraceExperts = "/dev/full" });

        Generate(session).Should().HaveCount(Generated);

        (await FluentActions.Awaiting(() => session.CompleteTraceAsync()).Should().ThrowAsync<IOException>()).WithMessage("*'/dev/full' could not be written*");
        Generate(session).Should().HaveCount(Generated);
    }

    [Test]
    public void Session_that_cannot_be_created_leaves_no_trace()
    {
        using MoeModel model = Load(TinyModels.Qwen3Moe());

        FluentActions.Invoking(() => model.CreateSession(Tracing with { TraceExperts = _directory["none", "a"] })).Should().Throw<IOException>();
        FluentActions.Invoking(() => model.CreateSession(Tracing with { TraceExperts = " " })).Should().Throw<ArgumentException>().WithMessage("TraceExperts is empty*");
        FluentActions.Invoking(() => model.CreateSession(Tracing with { Speculation = new SpeculationOptions { UseMtpLayers = true } })).Should().Throw<Exception>();

        SpinWait.SpinUntil(() => Directory.GetFileSystemEntries(_directory.Path).Length == 0, TimeSpan.FromSeconds(10)).Should().BeTrue();
    }

    [Test]
    public async Task Session_that_does_not_record_and_dense_models_refuse()
    {
        using MoeModel dense = Load(TinyModels.Llama());
        using GenerationSession session = dense.CreateSession(Generations.SmallContext);

        FluentActions.Invoking(() => dense.CreateSession(Tracing)).Should().Throw<NotSupportedException>()
            .WithMessage("*is a dense model without experts to trace*");
        await FluentActions.Awaiting(() => session.CompleteTraceAsync()).Should().ThrowAsync<InvalidOperationException>().WithMessage("*TraceExperts*");
        System.IO.File.Exists(File).Should().BeFalse();
    }

    private static MoeModel Load(TinyModel tiny) => MoeModel.Load(tiny.Path, new ModelOptions { Devices = [] });

    private static List<int> Generate(GenerationSession session, int count = Generated)
    {
        using TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = s_prompt,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = count,
        });
        return [.. stream.ToBlockingEnumerable().Select(token => token.Id)];
    }

    private static long[] Counts(ExpertActivity activity) =>
        [.. Enumerable.Range(0, activity.LayerCount).SelectMany(layer => activity.GetCounts(layer).ToArray().Append(activity.GetTokenCount(layer)))];
}
