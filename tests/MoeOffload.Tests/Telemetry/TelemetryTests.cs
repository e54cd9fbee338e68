using System.Diagnostics;
using System.Diagnostics.Metrics;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Diagnostics;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Telemetry;

/// <summary>What the library's meter and activity source tell, each model under an id of its own.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class TelemetryTests : IDisposable
{
    private const string Question = "Tell me a story about a xylophone.";

    private readonly string _id = $"model-{Guid.NewGuid():N}";
    private readonly MoeModel _model;

    public TelemetryTests() => _model = MoeModel.Load(DemoModel.Path, new ModelOptions { Id = _id });

    public void Dispose() => _model.Dispose();

    [Test]
    public async Task Request_is_measured_once_with_the_attributes_and_times_of_the_conventions()
    {
        using var measurements = new Measurements(_id);
        using GenerationSession session = Session();
        GenerationStatistics statistics = await AskAsync(session, tokens: 8);

        Dictionary<string, object?> expected = new()
        {
            ["gen_ai.operation.name"] = "chat",
            ["gen_ai.provider.name"] = "moeoffload",
            ["gen_ai.request.model"] = _id,
        };
        foreach (string name in new[] { "gen_ai.server.request.duration", "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token", "moe.queue.time", "moe.tokens.generated" })
        {
            measurements.Of(name).Should().ContainSingle("of {0}", name).Which.Tags.Should().BeEquivalentTo(expected);
        }

        measurements.Of("gen_ai.server.time_to_first_token")[0].Value.Should().Be(statistics.TimeToFirstToken.TotalSeconds);
        measurements.Of("gen_ai.server.time_per_output_token")[0].Value.Should().Be(statistics.DecodeTime.TotalSeconds / 7);
        measurements.Of("gen_ai.server.request.duration")[0].Value.Should().BeGreaterThanOrEqualTo((statistics.TimeToFirstToken + statistics.DecodeTime).TotalSeconds);
        measurements.Of("moe.tokens.generated")[0].Value.Should().Be(8);
        measurements.Of("moe.tokens.prompt")[0].Value.Should().Be(statistics.PromptTokens);
    }

    [Test]
    public async Task Plain_text_is_another_operation_and_one_token_has_no_time_per_token()
    {
        using var measurements = new Measurements(_id);
        using GenerationSession session = Session();
        await foreach (GeneratedToken token in session.GenerateAsync("Once", SamplingOptions.Greedy, 1))
        {
        }

        measurements.Of("gen_ai.server.time_to_first_token").Should().ContainSingle().Which.Tags["gen_ai.operation.name"].Should().Be("text_completion");
        measurements.Of("gen_ai.server.time_per_output_token").Should().BeEmpty();
    }

    [Test]
    public async Task Failure_and_cancellation_have_an_error_type_and_no_times_of_tokens()
    {
        using var measurements = new Measurements(_id);
        using GenerationSession session = Session();
        await FluentActions.Awaiting(() => AskAsync(session, tokens: 8, grammar: "root ::= (")).Should().ThrowAsync<ArgumentException>();
        await using (TokenStream abandoned = session.GenerateAsync("Once", SamplingOptions.Greedy with { IgnoreEndOfSequence = true }))
        {
            await foreach (GeneratedToken token in abandoned)
            {
                break;
            }
        }

        await session.GenerateAsync("never read").DisposeAsync();

        measurements.Of("gen_ai.server.request.duration").Select(measured => measured.Tags["error.type"])
            .Should().Equal("System.ArgumentException", "System.OperationCanceledException");
        measurements.Of("gen_ai.server.time_to_first_token").Should().BeEmpty();
    }

    [Test]
    public async Task Histograms_advise_the_boundaries_of_the_conventions()
    {
        using var measurements = new Measurements(_id);
        using GenerationSession session = Session();
        await AskAsync(session, tokens: 1);

        Bounds("gen_ai.server.request.duration").Should().Equal(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
        Bounds("gen_ai.server.time_to_first_token").Should().Equal(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10);
        Bounds("gen_ai.server.time_per_output_token").Should().EndWith([0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]);

        IReadOnlyList<double> Bounds(string name) => ((Histogram<double>)measurements.Instruments[name]).Advice!.HistogramBucketBoundaries!;
    }

    [Test]
    public async Task Embeddings_are_measured_as_well()
    {
        using var measurements = new Measurements(_id);
        await using Embedder embedder = await _model.CreateEmbedderAsync(new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Mean });
        IReadOnlyList<TextEmbedding> texts = await embedder.EmbedAsync(["To be", "or not"]);
        await FluentActions.Awaiting(() => embedder.EmbedAsync([string.Empty, null!])).Should().ThrowAsync<ArgumentException>();

        measurements.Of("moe.tokens.embedded").Should().ContainSingle().Which.Value.Should().Be(texts.Sum(text => text.TokenCount));
        measurements.Of("gen_ai.server.request.duration").Should().HaveCount(2)
            .And.OnlyContain(measured => Equals(measured.Tags["gen_ai.operation.name"], "embeddings"));
    }

    [Test]
    public async Task Activity_belongs_to_the_activity_of_the_reader_and_has_no_content()
    {
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is MoeTelemetry.ActivitySourceName or "telemetry-tests",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                lock (ended)
                {
                    ended.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("telemetry-tests");
        using GenerationSession session = Session();
        using (Activity caller = source.StartActivity("caller")!)
        {
            await AskAsync(session, tokens: 4);
            Activity.Current.Should().BeSameAs(caller, "a request does not change the activity of its reader");
            await FluentActions.Awaiting(() => AskAsync(session, tokens: 8, grammar: "root ::= (")).Should().ThrowAsync<ArgumentException>();
            Activity.Current.Should().BeSameAs(caller);
        }

        Activity[] requests;
        Activity parent;
        lock (ended)
        {
            requests = [.. ended.Where(activity => activity.DisplayName == $"chat {_id}")];
            parent = ended.Single(activity => activity.DisplayName == "caller");
        }

        requests.Should().HaveCount(2).And.OnlyContain(activity => activity.ParentSpanId == parent.SpanId && activity.Kind == ActivityKind.Internal);
        requests[0].GetTagItem("gen_ai.provider.name").Should().Be("moeoffload");
        requests[0].GetTagItem("gen_ai.usage.output_tokens").Should().Be(4);
        requests[0].GetTagItem("gen_ai.response.finish_reasons").Should().BeOfType<string[]>().Which.Should().Equal("length");
        requests[0].Status.Should().Be(ActivityStatusCode.Unset);
        requests[1].Status.Should().Be(ActivityStatusCode.Error);
        requests[1].GetTagItem("error.type").Should().Be("System.ArgumentException");
        requests.SelectMany(activity => activity.TagObjects).Should().NotContain(tag => $"{tag.Value}".Contains("xylophone", StringComparison.Ordinal));
    }

    [Test]
    public async Task Models_and_sessions_are_observed_while_they_exist()
    {
        using var measurements = new Measurements(_id);
        using (GenerationSession session = _model.CreateSession(new ContextOptions { ContextLength = 256, CountExperts = true }))
        {
            await AskAsync(session, tokens: 4);
            measurements.Observe();

            measurements.Of("moe.queue.running").Should().ContainSingle().Which.Value.Should().Be(0);
            measurements.Of("moe.prefix_cache.tokens")[0].Value.Should().BePositive();
            measurements.Of("moe.memory").Where(measured => Equals(measured.Tags["kind"], "weights")).Sum(measured => measured.Value).Should().Be(_model.Placement.Bytes);
            measurements.Of("moe.memory").Where(measured => Equals(measured.Tags["kind"], "context")).Sum(measured => measured.Value)
                .Should().Be(session.Memory.Total.ContextBytes);
            measurements.Of("moe.placement.experts").Sum(measured => measured.Value).Should().Be(_model.Placement.ExpertBytes);
            ExpertActivity activity = session.ExpertActivity!;
            measurements.Of("moe.expert.tokens").Select(measured => (long)measured.Value).Should().Equal(activity.Layers.Select(activity.GetTokenCount));
            measurements.Of("moe.expert.busiest_share")[0].Value.Should().BeInRange(1.0 / activity.ExpertCount, 1);
        }

        _model.Dispose();
        int before = measurements.Of("moe.memory").Count + measurements.Of("moe.queue.running").Count;
        measurements.Observe();
        (measurements.Of("moe.memory").Count + measurements.Of("moe.queue.running").Count).Should().Be(before, "both have been disposed");
    }

    [Test]
    public async Task Exception_of_a_listener_does_not_end_the_session()
    {
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (instrument.Name == "gen_ai.server.request.duration")
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        int thrown = 0;
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            if (new Dictionary<string, object?>(tags.ToArray()).ContainsValue(_id))
            {
                thrown++;
                throw new InvalidOperationException("The listener failed.");
            }
        });
        listener.Start();
        using GenerationSession session = Session();
        (await AskAsync(session, tokens: 2)).GeneratedTokens.Should().Be(2);
        (await AskAsync(session, tokens: 2)).GeneratedTokens.Should().Be(2);
        thrown.Should().Be(2);
    }

    [Test]
    public async Task Tokens_allocate_nothing_on_the_thread_of_the_session([Values] bool isMeasured)
    {
        using Measurements? measurements = isMeasured ? new Measurements(_id) : null;
        using GenerationSession session = _model.CreateSession(new ContextOptions { ContextLength = 512, Threads = { Decode = 1, Prompt = 1 } });
        int[] probe = _model.Vocabulary.Tokenize("x");
        await MeasureAsync(150);
        var differences = new List<long>();
        for (int round = 0; round < 2; round++)
        {
            differences.Add(await MeasureAsync(150) - await MeasureAsync(50));
        }

        differences.Min().Should().BeInRange(-100, 99, "100 more tokens allocate less than a byte each, of {0}", string.Join(", ", differences));

        async Task<long> MeasureAsync(int tokens)
        {
            long before = await AllocatedAsync();
            using TokenStream stream = session.GenerateAsync("Once upon a time", SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, tokens);
            while (!stream.IsCompleted)
            {
                if (!stream.TryRead(out _))
                {
                    Thread.Yield();
                }
            }

            return await AllocatedAsync() - before;
        }

        async Task<long> AllocatedAsync()
        {
            long allocated = 0;
            await session.ReadLogitsAsync(probe, (_, _) => allocated = GC.GetAllocatedBytesForCurrentThread(), probe.Length - 1);
            return allocated;
        }
    }

    private GenerationSession Session() => _model.CreateSession(new ContextOptions { ContextLength = 256 });

    private static async Task<GenerationStatistics> AskAsync(GenerationSession session, int tokens, string? grammar = null)
    {
        var options = new ChatOptions { Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true, Grammar = grammar }, MaxTokens = tokens };
        return (await session.ChatAsync([ChatMessage.User(Question)], options).CompleteAsync()).Statistics!;
    }
}
