using System.Diagnostics;
using System.Diagnostics.Metrics;
using MoeOffload.Diagnostics;

namespace MoeOffload.Telemetry;

/// <summary>Contains the activity source and the instruments that requests use, under the names of OpenTelemetry's conventions if there is one.</summary>
internal static class Instruments
{
    // Those of OpenTelemetry's conventions, which also has them for the client's metrics.
    private static readonly double[] s_durations = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] s_firstToken = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    // Small models need less than the conventions' smallest boundary of 10 ms, so there are three more below it.
    private static readonly double[] s_perToken = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
    private static readonly double[] s_queue = [0.0001, 0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100];

    public static ActivitySource Source { get; } = new(MoeTelemetry.ActivitySourceName);

    public static Meter Meter { get; } = new(MoeTelemetry.MeterName);

    public static Histogram<double> Duration { get; } = Seconds("gen_ai.server.request.duration", "Time from the start of a request to its end", s_durations);

    public static Histogram<double> FirstToken { get; } =
        Seconds("gen_ai.server.time_to_first_token", "Time from the start of a request to its first token, if it succeeded", s_firstToken);

    public static Histogram<double> PerToken { get; } =
        Seconds("gen_ai.server.time_per_output_token", "Mean time per token after the first one of a request that succeeded", s_perToken);

    public static Histogram<double> QueueTime { get; } = Seconds("moe.queue.time", "Time that a generation waited in the queue", s_queue);

    public static Counter<long> PromptTokens { get; } = Tokens("moe.tokens.prompt", "Prompt tokens");

    public static Counter<long> CachedTokens { get; } = Tokens("moe.tokens.cached", "Prompt tokens that were taken from the prefix cache");

    public static Counter<long> GeneratedTokens { get; } = Tokens("moe.tokens.generated", "Generated tokens");

    public static Counter<long> DraftedTokens { get; } = Tokens("moe.tokens.drafted", "Draft tokens that were evaluated");

    public static Counter<long> AcceptedTokens { get; } = Tokens("moe.tokens.accepted", "Draft tokens that were accepted");

    public static Counter<long> EmbeddedTokens { get; } = Tokens("moe.tokens.embedded", "Tokens of texts that were embedded or ranked");

    public static Counter<long> PrefixHits { get; } = Meter.CreateCounter<long>(
        "moe.prefix_cache.hits", "{request}", "Generations that reused a part of their prompt from the prefix cache");

    private static Counter<long> Tokens(string name, string description) => Meter.CreateCounter<long>(name, "{token}", description);

    private static Histogram<double> Seconds(string name, string description, double[] bounds) => Meter.CreateHistogram(
        name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
