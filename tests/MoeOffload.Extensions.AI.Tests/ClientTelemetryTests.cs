using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using FluentAssertions;
using Microsoft.Extensions.AI;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>What the clients' meter tells.</summary>
[TestFixture]
public sealed class ClientTelemetryTests
{
    private static readonly ChatMessage[] s_question = [new(ChatRole.User, "Tell me a story about a dog.")];
    private static readonly ChatOptions s_greedy = new() { Temperature = 0, MaxOutputTokens = 8 };

    private MoeModel _model = null!;

    [OneTimeSetUp]
    public async Task Load() => _model = await MoeModel.LoadAsync(DemoModel.Path);

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [Test]
    public async Task Requests_and_streams_report_their_tokens_and_their_duration_once()
    {
        using var meter = new Listener("telemetry-a");
        using IChatClient client = Client("telemetry-a");
        UsageDetails usage = (await client.GetResponseAsync(s_question, s_greedy)).Usage!;
        await client.GetStreamingResponseAsync(s_question, s_greedy).ToChatResponseAsync();

        meter.All.Where(measured => measured.Name == "gen_ai.client.token.usage").Select(measured => (measured.Tags["gen_ai.token.type"], (long)measured.Value))
            .Should().Equal(("input", usage.InputTokenCount!.Value), ("output", 8), ("input", usage.InputTokenCount.Value), ("output", 8));
        IEnumerable<Measured> durations = meter.All.Where(measured => measured.Name == "gen_ai.client.operation.duration");
        durations.Should().HaveCount(2).And.OnlyContain(measured => measured.Value > 0);
        durations.First().Tags.Should().BeEquivalentTo(new Dictionary<string, object?>
        {
            ["gen_ai.operation.name"] = "chat",
            ["gen_ai.provider.name"] = "moeoffload",
            ["gen_ai.request.model"] = "telemetry-a",
            ["gen_ai.response.model"] = "telemetry-a",
        });
        ((Histogram<double>)meter.Instruments["gen_ai.client.operation.duration"]).Advice!.HistogramBucketBoundaries
            .Should().Equal(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
        ((Histogram<long>)meter.Instruments["gen_ai.client.token.usage"]).Advice!.HistogramBucketBoundaries
            .Should().Equal(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864);
    }

    [Test]
    public async Task Failed_and_abandoned_requests_have_an_error_type_and_no_tokens()
    {
        using var meter = new Listener("telemetry-b");
        using IChatClient client = Client("telemetry-b");
        var background = new ChatOptions { ModelId = "another" };
        await FluentActions.Awaiting(() => client.GetResponseAsync(s_question, background)).Should().ThrowAsync<NotSupportedException>();
        await FluentActions.Awaiting(() => client.GetStreamingResponseAsync(s_question, background).ToListAsync().AsTask()).Should().ThrowAsync<NotSupportedException>();
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(s_question, s_greedy))
        {
            break;
        }

        meter.All.Select(measured => measured.Name).Should().OnlyContain(name => name == "gen_ai.client.operation.duration");
        meter.All.Select(measured => measured.Tags["error.type"])
            .Should().Equal("System.NotSupportedException", "System.NotSupportedException", "System.OperationCanceledException");
    }

    [Test]
    public async Task Embeddings_report_their_tokens()
    {
        using var meter = new Listener("telemetry-c");
        await using Embedder embedder = await _model.CreateEmbedderAsync(new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Mean });
        using IEmbeddingGenerator<string, Embedding<float>> generator = embedder.AsEmbeddingGenerator("telemetry-c");
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(["To be"]);

        Measured usage = meter.All.Single(measured => measured.Name == "gen_ai.client.token.usage");
        usage.Value.Should().Be(embeddings.Usage!.InputTokenCount);
        usage.Tags["gen_ai.operation.name"].Should().Be("embeddings");
        meter.All.Should().ContainSingle(measured => measured.Name == "gen_ai.client.operation.duration");
    }

    private IChatClient Client(string id) => _model.AsChatClient(new ContextOptions { ContextLength = 256 }, new MoeChatClientOptions { ModelId = id });

    private sealed record Measured(string Name, double Value, IReadOnlyDictionary<string, object?> Tags);

    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<Measured> _all = new();
        private readonly string _model;

        public Listener(string model)
        {
            _model = model;
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == MoeClientTelemetry.MeterName)
                {
                    Instruments[instrument.Name] = instrument;
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            _listener.Start();
        }

        public IReadOnlyList<Measured> All => [.. _all];

        public ConcurrentDictionary<string, Instrument> Instruments { get; } = new();

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var read = new Dictionary<string, object?>(tags.ToArray());
            if (Equals(read.GetValueOrDefault("gen_ai.request.model"), _model))
            {
                _all.Enqueue(new Measured(instrument.Name, value, read));
            }
        }
    }
}
