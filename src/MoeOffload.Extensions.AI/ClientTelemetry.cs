using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;

namespace MoeOffload.Extensions.AI;

/// <summary>Records a request of a client once, when it ends, under the names of OpenTelemetry's conventions.</summary>
internal sealed class ClientTelemetry
{
    public const string Provider = "moeoffload";
    public const string Chat = "chat";
    public const string Embeddings = "embeddings";

    private static readonly Meter s_meter = new(MoeClientTelemetry.MeterName);

    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram(
        "gen_ai.client.operation.duration",
        "s",
        "Time from the start of a request of a client to its end",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] });

    private static readonly Histogram<long> s_tokens = s_meter.CreateHistogram(
        "gen_ai.client.token.usage",
        "{token}",
        "Tokens of a request and of its response",
        advice: new InstrumentAdvice<long>
        {
            HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        });

    // What is returned while nobody listens.
    private static readonly ClientTelemetry s_none = new(string.Empty, string.Empty, isEnabled: false);

    private readonly string _operation;
    private readonly string _model;
    private readonly bool _isEnabled;
    private readonly long _start = Stopwatch.GetTimestamp();
    private bool _hasEnded;

    private ClientTelemetry(string operation, string model, bool isEnabled)
    {
        _operation = operation;
        _model = model;
        _isEnabled = isEnabled;
    }

    /// <summary>Gets a value that indicates whether somebody listens.</summary>
    public static bool IsEnabled => s_duration.Enabled || s_tokens.Enabled;

    /// <summary>Starts a request.</summary>
    /// <param name="operation">The operation, as OpenTelemetry's conventions name it.</param>
    /// <param name="model">The id of the model.</param>
    public static ClientTelemetry Start(string operation, string? model) =>
        IsEnabled ? new ClientTelemetry(operation, model ?? string.Empty, isEnabled: true) : s_none;

    /// <summary>Ends a request that succeeded.</summary>
    public void End(UsageDetails? usage)
    {
        if (_isEnabled && !_hasEnded)
        {
            Record("input", usage?.InputTokenCount);
            Record("output", usage?.OutputTokenCount);
            RecordDuration(error: null);
        }
    }

    /// <summary>Ends a request that failed.</summary>
    public void Fail(Exception failure) => RecordDuration(failure.GetType().FullName);

    /// <summary>Ends a request whose response is no longer read, unless it has ended.</summary>
    public void Abandon() => RecordDuration(typeof(OperationCanceledException).FullName);

    private void Record(string type, long? count)
    {
        if (count is { } tokens)
        {
            TagList tags = Tags();
            tags.Add("gen_ai.token.type", type);
            s_tokens.Record(tokens, tags);
        }
    }

    private void RecordDuration(string? error)
    {
        if (!_isEnabled || _hasEnded)
        {
            return;
        }

        _hasEnded = true;
        TagList tags = Tags();
        if (error is not null)
        {
            tags.Add("error.type", error);
        }

        s_duration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
    }

    private TagList Tags() => new()
    {
        { "gen_ai.operation.name", _operation },
        { "gen_ai.provider.name", Provider },
        { "gen_ai.request.model", _model },
        { "gen_ai.response.model", _model },
    };
}
