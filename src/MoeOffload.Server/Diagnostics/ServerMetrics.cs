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
    private readonly Counter<long> _ignoredFields;

    public ServerMetrics(IMeterFactory meters, ModelHost models)
    {
        _models = models;
        Meter meter = meters.Create(ServerMeter.Name);
        _active = meter.CreateUpDownCounter<long>("moe.requests.active", "{request}", "Requests that are being processed");
        _requests = meter.CreateCounter<long>("moe.requests", "{request}", "Requests that were answered");
        _duration = Seconds(meter, "gen_ai.server.request.duration", "Duration of a request", [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]);
        _firstToken = Seconds(
            meter, "gen_ai.server.time_to_first_token", "Time from a generation's start to its first token", [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]);
        _perToken = Seconds(
            meter, "gen_ai.server.time_per_output_token", "Mean time per token of a generation after the first token", [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
        _queueTime = Seconds(meter, "moe.queue.time", "Time that a generation waited in the queue", [0.0001, 0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100]);
        _promptTokens = meter.CreateCounter<long>("moe.tokens.prompt", "{token}", "Prompt tokens");
        _cachedTokens = meter.CreateCounter<long>("moe.tokens.cached", "{token}", "Prompt tokens that were taken from the prefix cache");
        _generatedTokens = meter.CreateCounter<long>("moe.tokens.generated", "{token}", "Generated tokens");
        _draftedTokens = meter.CreateCounter<long>("moe.tokens.drafted", "{token}", "Draft tokens that were evaluated");
        _acceptedTokens = meter.CreateCounter<long>("moe.tokens.accepted", "{token}", "Draft tokens that were accepted");
        _prefixHits = meter.CreateCounter<long>("moe.prefix_cache.hits", "{request}", "Generations that reused a part of their prompt from the prefix cache");
        _embeddedTokens = meter.CreateCounter<long>("moe.tokens.embedded", "{token}", "Tokens for which embeddings were computed");
        _ignoredFields = meter.CreateCounter<long>("moe.requests.ignored_fields", "{field}", "Fields of requests that were accepted without an effect");
        Observe(meter);
        ObserveExperts(meter);
    }

    public void CountIgnored(int fields) => _ignoredFields.Add(fields);

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
        meter.CreateObservableGauge("moe.queue.running", () => OfSessions(statistics => statistics.RunningCount), "{request}", "Generations that are running");
        meter.CreateObservableGauge("moe.queue.waiting", () => OfSessions(statistics => statistics.QueuedCount), "{request}", "Generations that are waiting in the queue");
        meter.CreateObservableGauge("moe.prefix_cache.tokens", () => OfSessions(statistics => statistics.PrefixCacheTokens), "{token}", "Tokens of ended generations in the KV caches");
        meter.CreateObservableGauge("moe.models.loaded", () => _models.GetLoaded().Count, "{model}", "Models in memory");
        meter.CreateObservableGauge("moe.memory", Memory, "By", "Memory of models and their contexts on each device");
        meter.CreateObservableCounter("moe.expert.tokens", () => OfLayers((activity, layer) => (double)activity.GetTokenCount(layer)), "{token}", "Tokens for which a layer's router selected experts");
        meter.CreateObservableGauge("moe.expert.busiest_share", () => OfLayers(BusiestShare), "1", "Share of a layer's selections that its busiest expert received");
        meter.CreateObservableGauge(
            "moe.expert.unused", () => OfLayers((activity, layer) => activity.GetCounts(layer).Count(0L)), "{expert}", "Experts of a layer that were never selected");
    }

    private void ObserveExperts(Meter meter)
    {
        meter.CreateObservableCounter("moe.expert.hits", () => OfExpertLayers(layer => layer.Hits), "{use}", "Uses of experts that were in memory, if --expert-memory limits it");
        meter.CreateObservableCounter("moe.expert.misses", () => OfExpertLayers(layer => layer.Misses), "{use}", "Uses of experts that were read from the file");
        meter.CreateObservableCounter("moe.expert.read", () => OfExpertLayers(layer => layer.BytesRead), "By", "Bytes of experts that were read from the file");
        meter.CreateObservableCounter("moe.expert.wait", () => OfExpertLayers(layer => layer.WaitTime.TotalSeconds), "s", "Time for which computations waited for experts");
        meter.CreateObservableGauge("moe.expert.memory", ExpertMemory, "By", "Memory of experts that are read from the file when they are used");
    }

    private static double BusiestShare(ExpertActivity activity, int layer)
    {
        double busiest = 0;
        for (int expert = 0; expert < activity.ExpertCount; expert++)
        {
            busiest = Math.Max(busiest, activity.GetShare(layer, expert));
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
                // The model was unloaded in the meantime.
                continue;
            }

            foreach (int layer in activity?.Layers ?? [])
            {
                yield return new Measurement<double>(value(activity!, layer), Tag("gen_ai.request.model", status.Entry.Name), Tag("layer", layer));
            }
        }
    }

    private IEnumerable<Measurement<double>> OfExpertLayers(Func<ExpertLayerStatistics, double> value) =>
        from model in ExpertStorages()
        from layer in model.Storage.Layers
        select new Measurement<double>(value(layer), Tag("gen_ai.request.model", model.Name), Tag("layer", layer.Layer));

    private IEnumerable<Measurement<long>> ExpertMemory() =>
        ExpertStorages().Select(model => new Measurement<long>(model.Storage.ResidentBytes, Tag("gen_ai.request.model", model.Name)));

    private IEnumerable<(string Name, ExpertStorageStatistics Storage)> ExpertStorages()
    {
        foreach ((ModelStatus status, ServedModel model) in _models.GetLoaded())
        {
            ExpertStorageStatistics? storage;
            try
            {
                storage = model.Model.ReadExpertStorage();
            }
            catch (ObjectDisposedException)
            {
                // The model was unloaded in the meantime.
                continue;
            }

            if (storage is not null)
            {
                yield return (status.Entry.Name, storage);
            }
        }
    }
}
