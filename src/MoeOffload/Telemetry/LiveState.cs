using System.Diagnostics.Metrics;
using MoeOffload.Diagnostics;

namespace MoeOffload.Telemetry;

/// <summary>
/// Observes the models and the contexts of the process. They are only read when somebody collects the metrics. Values of models with the same
/// id are added up, because a collector keeps one value for each set of attributes.
/// </summary>
internal static class LiveState
{
    private const string Model = "gen_ai.request.model";

    static LiveState()
    {
        Meter meter = Instruments.Meter;
        meter.CreateObservableGauge("moe.queue.running", () => OfSessions(statistics => statistics.RunningCount), "{request}", "Generations that are running");
        meter.CreateObservableGauge("moe.queue.waiting", () => OfSessions(statistics => statistics.QueuedCount), "{request}", "Generations that are waiting in the queue");
        meter.CreateObservableGauge("moe.prefix_cache.tokens", () => OfSessions(statistics => statistics.PrefixCacheTokens), "{token}", "Tokens of ended generations in the KV caches");
        meter.CreateObservableGauge("moe.memory", Memory, "By", "Memory of models and their contexts on each device");
        meter.CreateObservableGauge("moe.placement.experts", PlacedExperts, "By", "Experts of models on each device");
        meter.CreateObservableCounter("moe.expert.tokens", () => OfLayers((_, tokens) => tokens), "{token}", "Tokens for which a layer's router selected experts");
        meter.CreateObservableGauge("moe.expert.busiest_share", () => OfLayers(BusiestShare), "1", "Share of a layer's selections that its busiest expert received");
        meter.CreateObservableGauge("moe.expert.unused", () => OfLayers((counts, _) => counts.Count(count => count == 0)), "{expert}", "Experts of a layer that were never selected");
        meter.CreateObservableCounter("moe.expert.hits", () => OfExpertFiles(layer => layer.Hits), "{use}", "Uses of experts that were in memory, if it is limited");
        meter.CreateObservableCounter("moe.expert.misses", () => OfExpertFiles(layer => layer.Misses), "{use}", "Uses of experts that were read from the file");
        meter.CreateObservableCounter("moe.expert.read", () => OfExpertFiles(layer => layer.BytesRead), "By", "Bytes of experts that were read from the file");
        meter.CreateObservableCounter("moe.expert.wait", () => OfExpertFiles(layer => layer.WaitTime.TotalSeconds), "s", "Time for which computations waited for experts");
        meter.CreateObservableGauge("moe.expert.memory", ExpertMemory, "By", "Memory of experts that are read from the file when they are used");
    }

    /// <summary>Gets the models.</summary>
    public static LiveObjects<IMeasuredModel> Models { get; } = new();

    /// <summary>Gets the contexts.</summary>
    public static LiveObjects<IMeasuredContext> Contexts { get; } = new();

    private static IEnumerable<Measurement<long>> OfSessions(Func<SessionStatistics, long> value) => Contexts.ToList()
        .Select(context => (context.ModelId, context.Statistics))
        .Where(pair => pair.Statistics is not null)
        .GroupBy(pair => pair.ModelId, pair => value(pair.Statistics!))
        .Select(group => new Measurement<long>(group.Sum(), Tag(Model, group.Key)));

    private static IEnumerable<Measurement<long>> Memory()
    {
        IEnumerable<(string Model, string Device, string Kind, long Bytes)> weights = Models.ToList()
            .SelectMany(model => model.Placement.Devices.Select(device => (model.Id, device.Device, "weights", device.Bytes)));
        IEnumerable<(string Model, string Device, string Kind, long Bytes)> contexts = Contexts.ToList().SelectMany(context => context.Memory.Devices
            .SelectMany(use => new[] { (context.ModelId, use.Device, "context", use.ContextBytes), (context.ModelId, use.Device, "compute", use.ComputeBytes) }));
        return weights.Concat(contexts)
            .GroupBy(use => (use.Model, use.Device, use.Kind), use => use.Bytes)
            .Select(group => new Measurement<long>(
                group.Sum(), Tag(Model, group.Key.Model), Tag("device", group.Key.Device), Tag("kind", group.Key.Kind)));
    }

    private static IEnumerable<Measurement<long>> PlacedExperts() => Models.ToList()
        .SelectMany(model => model.Placement.Devices.Where(device => device.ExpertTensorCount > 0).Select(device => (model.Id, device.Device, device.ExpertBytes)))
        .GroupBy(place => (place.Id, place.Device), place => place.ExpertBytes)
        .Select(group => new Measurement<long>(group.Sum(), Tag(Model, group.Key.Id), Tag("device", group.Key.Device)));

    private static IEnumerable<Measurement<double>> OfLayers(Func<long[], long, double> value)
    {
        var layers = new Dictionary<(string Model, int Layer), (long[] Counts, long Tokens)>();
        foreach (IMeasuredContext context in Contexts.ToList())
        {
            if (Try(() => context.ExpertActivity) is not { } activity)
            {
                continue;
            }

            foreach (int layer in activity.Layers)
            {
                (long[] counts, long tokens) = layers.TryGetValue((context.ModelId, layer), out (long[], long) known) ? known : (new long[activity.ExpertCount], 0);
                ReadOnlySpan<long> added = activity.GetCounts(layer);
                for (int expert = 0; expert < Math.Min(counts.Length, added.Length); expert++)
                {
                    counts[expert] += added[expert];
                }

                layers[(context.ModelId, layer)] = (counts, tokens + activity.GetTokenCount(layer));
            }
        }

        return layers.Select(layer => new Measurement<double>(
            value(layer.Value.Counts, layer.Value.Tokens), Tag(Model, layer.Key.Model), Tag("layer", layer.Key.Layer)));
    }

    private static double BusiestShare(long[] counts, long tokens) => counts.Sum() is > 0 and var all ? (double)counts.Max() / all : 0;

    private static IEnumerable<Measurement<double>> OfExpertFiles(Func<ExpertLayerStatistics, double> value) => ExpertFiles()
        .SelectMany(model => model.Storage.Layers.Select(layer => (model.Id, layer.Layer, Value: value(layer))))
        .GroupBy(layer => (layer.Id, layer.Layer), layer => layer.Value)
        .Select(group => new Measurement<double>(group.Sum(), Tag(Model, group.Key.Id), Tag("layer", group.Key.Layer)));

    private static IEnumerable<Measurement<long>> ExpertMemory() => ExpertFiles()
        .GroupBy(model => model.Id, model => model.Storage.ResidentBytes)
        .Select(group => new Measurement<long>(group.Sum(), Tag(Model, group.Key)));

    private static IEnumerable<(string Id, ExpertStorageStatistics Storage)> ExpertFiles()
    {
        foreach (IMeasuredModel model in Models.ToList())
        {
            if (Try(model.ReadExpertStorage) is { } storage)
            {
                yield return (model.Id, storage);
            }
        }
    }

    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (ObjectDisposedException)
        {
            // The object was disposed in the meantime.
            return null;
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);
}
