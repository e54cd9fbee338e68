using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Diagnostics;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Measurement.Replay;

/// <summary>Represents the results of a trace on caches of several sizes and all policies, and what follows from them.</summary>
internal sealed class ReplayReport
{
    // A cache that saves less than this is not worth its bookkeeping, which the replay does not count.
    private const double NotableSaving = 0.1;

    // First uses are misses in every cache. If they are a large part of all misses, a longer trace would look different.
    private const double NotableFirstUses = 0.2;

    private static readonly double[] s_shares = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875];

    private static readonly (ExpertCachePolicy Policy, string Name, string Key)[] s_policies =
    [
        (ExpertCachePolicy.WholeLayers, "whole layers", "whole_layers"),
        (ExpertCachePolicy.StaticHottest, "static hottest", "static_hottest"),
        (ExpertCachePolicy.LeastRecentlyUsed, "LRU", "lru"),
        (ExpertCachePolicy.LeastFrequentlyUsed, "LFU", "lfu"),
        (ExpertCachePolicy.LeastStale, "least stale", "least_stale"),
        (ExpertCachePolicy.Belady, "Belady", "belady"),
    ];

    private static readonly ExpertCachePolicy[] s_caches =
        [ExpertCachePolicy.LeastRecentlyUsed, ExpertCachePolicy.LeastFrequentlyUsed, ExpertCachePolicy.LeastStale];

    private readonly ExpertTrace _trace;
    private readonly ExpertCacheSimulator _simulator;
    private readonly ReplayOptions _options;

    private ReplayReport(ExpertTrace trace, ExpertCacheSimulator simulator, ReplayOptions options, IReadOnlyList<ExpertCacheResult> results, ExpertReuse reuse)
    {
        _trace = trace;
        _simulator = simulator;
        _options = options;
        Results = results;
        Reuse = reuse;
    }

    /// <summary>Gets the results, budget by budget and policy by policy.</summary>
    public IReadOnlyList<ExpertCacheResult> Results { get; }

    /// <summary>Gets the reuse distances.</summary>
    public ExpertReuse Reuse { get; }

    /// <summary>Plays a trace.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="options">What to calculate.</param>
    /// <exception cref="ArgumentOutOfRangeException">A budget is smaller than the largest expert.</exception>
    /// <exception cref="NotSupportedException">The trace has no uses of experts of a known size.</exception>
    public static ReplayReport Make(ExpertTrace trace, ReplayOptions options)
    {
        var simulator = new ExpertCacheSimulator(trace);
        if (simulator.UsedBytes == 0)
        {
            throw new NotSupportedException("The trace contains no use of an expert. Record one in which tokens are computed.");
        }

        IEnumerable<long> budgets = options.Budgets.Count > 0
            ? options.Budgets
            : s_shares.Select(share => Math.Max(simulator.LargestExpertBytes, (long)(trace.Model.TotalBytes * share)));
        ExpertCacheResult[] results =
            [.. budgets.Distinct().Order().SelectMany(budget => s_policies.Select(policy => simulator.Run(policy.Policy, budget)))];
        return new ReplayReport(trace, simulator, options, results, simulator.MeasureReuse());
    }

    /// <summary>Writes tables and sentences.</summary>
    public void WriteTo(TextWriter writer)
    {
        ExpertTraceModel model = _trace.Model;
        ExpertCacheUse all = Results[0].All;
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(model.Name.Length > 0 ? model.Name : model.Architecture)}: {_trace.TokenCount} tokens in {_trace.StepCount} steps, {Results[0].Decode.TokenCount} of them in steps that only decode"));
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{_trace.Layers.Count} layers of {model.ExpertCount} experts, {model.ExpertUsedCount} used: {Size.Of(model.TotalBytes)}, of which {Size.Of(_simulator.UsedBytes)} were used; {all.Hits + all.Misses} uses, {Reuse.FirstUseCount} of them first ones"));
        writer.WriteLine();
        WriteTable(writer, "hits", result => string.Create(CultureInfo.InvariantCulture, $"{Main(result).HitRate * 100:0.0} %"));
        writer.WriteLine();
        WriteTable(writer, "moved per token", result => Size.Of((long)Main(result).MovedBytesPerToken));
        if (_options.ReadSpeed is not null)
        {
            writer.WriteLine();
            WriteTable(writer, "tokens/s at most", result => NumberText.Of(Bound(result)));
        }

        writer.WriteLine();
        if (Reuse.ReuseCount > 0)
        {
            writer.WriteLine(
                $"Reuse distance: {Size.Of(Reuse.GetQuantile(0.5)!.Value)} for half of the reuses, {Size.Of(Reuse.GetQuantile(0.9)!.Value)} for 90 %.");
        }

        writer.WriteLine(Verdict());
        if (FirstThatPays() is { } first && Main(Static(first.BudgetBytes)).MovedBytes < Main(first).MovedBytes)
        {
            writer.WriteLine("The same experts are hot all the time: keeping the hottest ones, without a cache, would move fewer bytes still.");
        }

        if (IsShort)
        {
            writer.WriteLine("First uses are a large part of the misses: a longer trace would show more hits.");
        }
    }

    /// <summary>Describes the results for programs.</summary>
    public JsonObject Describe() => new()
    {
        ["model"] = new JsonObject
        {
            ["name"] = _trace.Model.Name,
            ["architecture"] = _trace.Model.Architecture,
            ["fingerprint"] = _trace.Model.Fingerprint,
            ["layers"] = _trace.Model.LayerCount,
            ["experts"] = _trace.Model.ExpertCount,
            ["experts_used"] = _trace.Model.ExpertUsedCount,
            ["expert_bytes"] = _trace.Model.TotalBytes,
        },
        ["steps"] = _trace.StepCount,
        ["tokens"] = _trace.TokenCount,
        ["used_bytes"] = _simulator.UsedBytes,
        ["first_uses"] = Reuse.FirstUseCount,
        ["reuse_distance_bytes"] = new JsonObject { ["p50"] = Reuse.GetQuantile(0.5), ["p90"] = Reuse.GetQuantile(0.9), ["p99"] = Reuse.GetQuantile(0.99) },
        ["results"] = Json.Array(Results.Select(result => new JsonObject
        {
            ["policy"] = s_policies.First(policy => policy.Policy == result.Policy).Key,
            ["budget_bytes"] = result.BudgetBytes,
            ["all"] = Describe(result.All),
            ["decode"] = Describe(result.Decode),
            ["tokens_per_second_at_most"] = Bound(result) is { } bound && double.IsFinite(bound) ? bound : null,
        })),
        ["pays_from_bytes"] = FirstThatPays()?.BudgetBytes,
        ["is_short"] = IsShort,
        ["verdict"] = Verdict(),
    };

    private bool IsShort => Reuse.FirstUseCount > NotableFirstUses * Best(Results[^1].BudgetBytes).All.Misses;

    private static JsonObject Describe(ExpertCacheUse use) => new()
    {
        ["tokens"] = use.TokenCount,
        ["hits"] = use.Hits,
        ["misses"] = use.Misses,
        ["hit_rate"] = use.HitRate,
        ["moved_bytes"] = use.MovedBytes,
        ["moved_bytes_per_token"] = use.MovedBytesPerToken,
    };

    // What counts is the speed of generation; a trace of prompts alone is judged by those.
    private static ExpertCacheUse Main(ExpertCacheResult result) => result.Decode.TokenCount > 0 ? result.Decode : result.All;

    private double? Bound(ExpertCacheResult result) => _options.ReadSpeed is { } speed ? Main(result).GetBound(speed, _options.MemorySpeed) : null;

    private void WriteTable(TextWriter writer, string what, Func<ExpertCacheResult, string> cell)
    {
        var table = new Columns([what, .. s_policies.Select(policy => ">" + policy.Name)]);
        foreach (IGrouping<long, ExpertCacheResult> budget in Results.GroupBy(result => result.BudgetBytes))
        {
            table.Add([Size.Of(budget.Key), .. budget.Select(cell)]);
        }

        table.WriteTo(writer);
    }

    private ExpertCacheResult Layers(long budget) => Results.First(result => result.BudgetBytes == budget && result.Policy == ExpertCachePolicy.WholeLayers);

    private ExpertCacheResult Static(long budget) => Results.First(result => result.BudgetBytes == budget && result.Policy == ExpertCachePolicy.StaticHottest);

    private ExpertCacheResult Best(long budget) => Results.Where(result => result.BudgetBytes == budget && s_caches.Contains(result.Policy))
        .MinBy(result => Main(result).MovedBytesPerToken)!;

    private double Saving(long budget) => Main(Layers(budget)).MovedBytes is > 0 and var bytes ? 1 - (Main(Best(budget)).MovedBytes / (double)bytes) : 0;

    private ExpertCacheResult? FirstThatPays()
    {
        foreach (long budget in Results.Select(result => result.BudgetBytes).Distinct())
        {
            if (Saving(budget) >= NotableSaving)
            {
                return Best(budget);
            }
        }

        return null;
    }

    private string Verdict()
    {
        string tokens = Results[0].Decode.TokenCount > 0 ? "generated token" : "token";
        return FirstThatPays() is { } first
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"A cache pays from {Size.Of(first.BudgetBytes)} on: {s_policies.First(policy => policy.Policy == first.Policy).Name} moves {Saving(first.BudgetBytes) * 100:0} % fewer bytes for each {tokens} than whole layers in the same memory.")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"A cache does not pay for this trace: with none of these budgets does it move {NotableSaving * 100:0} % fewer bytes for each {tokens} than whole layers in the same memory.");
    }
}
