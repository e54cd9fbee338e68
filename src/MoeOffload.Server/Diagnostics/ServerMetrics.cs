using System.Diagnostics;
using System.Diagnostics.Metrics;
using MoeOffload.Diagnostics;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.Diagnostics;

/// <summary>Measures the server, under the names of OpenTelemetry's conventions for generative AI if there is one.</summary>
internal sealed class ServerMetrics
{
    private readonly ModelHost _models;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<double> _queueTime;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _cachedTokens;
    private readonly Counter<long> _generatedTokens;
    private readonly Counter<long> _draftedTokens;
    private readonly Counter<long> _acceptedTokens;
    private readonly Counter<long> _prefixHits;
    private readonly Counter<long> _embeddedTokens;

    public ServerMetrics(IMeterFactory meters, ModelHost models)
    {
        _models = models;
        Meter meter = meters.Create(ServerMeter.Name);
        _active = meter.CreateUpDownCounter<long>("moe.requests.active", "{request}", "Requests that are being processed");
        _requests = meter.CreateCounter<long>("moe.requests", "{request}", "Requests that were answered");
        _duration = Seconds(meter, "gen_ai.server.request.duration", "Time of a request", [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]);
        _firstToken = Seconds(
            meter, "gen_ai.server.time_to_first_token", "Time from a generation's start to its first token", [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]);
        _perToken = Seconds(
            meter, "gen_ai.server.time_per_output_token", "Mean time of a generation's tokens after the first", [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
        _queueTime = Seconds(meter, "moe.queue.time", "Time that a generation waited for its place", [0.0001, 0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100]);
        _promptTokens = meter.CreateCounter<long>("moe.tokens.prompt", "{token}", "Tokens of prompts");
        _cachedTokens = meter.CreateCounter<long>("moe.tokens.cached", "{token}", "Tokens of prompts that the prefix cache held");
        _generatedTokens = meter.CreateCounter<long>("moe.tokens.generated", "{token}", "Tokens that were generated");
        _draftedTokens = meter.CreateCounter<long>("moe.tokens.drafted", "{token}", "Tokens that were guessed ahead");
        _acceptedTokens = meter.CreateCounter<long>("moe.tokens.accepted", "{token}", "Guessed tokens that were right");
        _prefixHits = meter.CreateCounter<long>("moe.prefix_cache.hits", "{request}", "Generations that found some of their prompt in the prefix cache");
        _embeddedTokens = meter.CreateCounter<long>("moe.tokens.embedded", "{token}", "Tokens that became embeddings");
        Observe(meter);
    }

    public void Begin() => _active.Add(1);

    public void End(string route, string model, int status, TimeSpan duration)
    {
        _active.Add(-1);
        var tags = new TagList { { "http.route", route }, { "gen_ai.request.model", model }, { "http.response.status_code", status } };
        _requests.Add(1, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    public void Count(string model, GenerationStatistics statistics)
    {
        var tag = new KeyValuePair<string, object?>("gen_ai.request.model", model);
        _promptTokens.Add(statistics.PromptTokens, tag);
        _cachedTokens.Add(statistics.CachedPromptTokens, tag);
        _generatedTokens.Add(statistics.GeneratedTokens, tag);
        _draftedTokens.Add(statistics.DraftedTokens, tag);
        _acceptedTokens.Add(statistics.AcceptedTokens, tag);
        _prefixHits.Add(statistics.CachedPromptTokens > 0 ? 1 : 0, tag);
        _queueTime.Record(statistics.QueueTime.TotalSeconds, tag);
        if (statistics.GeneratedTokens > 0)
        {
            _firstToken.Record(statistics.TimeToFirstToken.TotalSeconds, tag);
        }

        if (statistics.GeneratedTokens > 1)
        {
            _perToken.Record(statistics.DecodeTime.TotalSeconds / (statistics.GeneratedTokens - 1), tag);
        }
    }

    public void CountEmbedded(string model, int tokens) => _embeddedTokens.Add(tokens, Tag("gen_ai.request.model", model));

    private static Histogram<double> Seconds(Meter meter, string name, string description, double[] bounds) => meter.CreateHistogram(
        name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);

    private void Observe(Meter meter)
    {
        meter.CreateObservableGauge("moe.queue.running", () => OfSessions(statistics => statistics.RunningCount), "{request}", "Generations that have a place");
        meter.CreateObservableGauge("moe.queue.waiting", () => OfSessions(statistics => statistics.QueuedCount), "{request}", "Generations that wait for a place");
        meter.CreateObservableGauge("moe.prefix_cache.tokens", () => OfSessions(statistics => statistics.KeptTokens), "{token}", "Tokens that KV caches keep of generations that have ended");
        meter.CreateObservableGauge("moe.models.loaded", () => _models.GetLoaded().Count, "{model}", "Models in memory");
        meter.CreateObservableGauge("moe.memory", Memory, "By", "What models and their contexts hold of each device's memory");
        meter.CreateObservableCounter("moe.expert.tokens", () => OfLayers((activity, layer) => (double)activity.TokensOf(layer)), "{token}", "Tokens that a layer's router chose experts for");
        meter.CreateObservableGauge("moe.expert.busiest_share", () => OfLayers(BusiestShare), "1", "The part of a layer's choices that fell on its busiest expert");
        meter.CreateObservableGauge(
            "moe.expert.unused", () => OfLayers((activity, layer) => activity.CountsOf(layer).Count(0L)), "{expert}", "Experts of a layer that were never chosen");
    }

    private static double BusiestShare(ExpertActivity activity, int layer)
    {
        double busiest = 0;
        for (int expert = 0; expert < activity.ExpertCount; expert++)
        {
            busiest = Math.Max(busiest, activity.Share(layer, expert));
        }

        return busiest;
    }

    private IEnumerable<Measurement<long>> OfSessions(Func<SessionStatistics, long> value)
    {
        foreach ((ModelStatus status, ServedModel model) in _models.GetLoaded())
        {
            if (model.Session is { } session)
            {
                yield return new Measurement<long>(value(session.Statistics), Tag("gen_ai.request.model", status.Entry.Name));
            }
        }
    }

    private IEnumerable<Measurement<long>> Memory()
    {
        foreach ((ModelStatus status, ServedModel model) in _models.GetLoaded())
        {
            foreach (MemoryUse use in model.Memory)
            {
                yield return Measure(use.WeightBytes, "weights");
                yield return Measure(use.ContextBytes, "context");
                yield return Measure(use.ComputeBytes, "compute");

                Measurement<long> Measure(long bytes, string kind) =>
                    new(bytes, Tag("gen_ai.request.model", status.Entry.Name), Tag("device", use.Device), Tag("kind", kind));
            }
        }
    }

    private IEnumerable<Measurement<double>> OfLayers(Func<ExpertActivity, int, double> value)
    {
        foreach ((ModelStatus status, ServedModel model) in _models.GetLoaded())
        {
            ExpertActivity? activity;
            try
            {
                activity = model.Session?.ExpertActivity;
            }
            catch (ObjectDisposedException)
            {
                // It was unloaded meanwhile.
                continue;
            }

            foreach (int layer in activity?.Layers ?? [])
            {
                yield return new Measurement<double>(value(activity!, layer), Tag("gen_ai.request.model", status.Entry.Name), Tag("layer", layer));
            }
        }
    }
}
