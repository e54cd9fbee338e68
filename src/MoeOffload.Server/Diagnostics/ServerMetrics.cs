using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MoeOffload.Server.Diagnostics;

/// <summary>
/// Measures the requests of the server. The library measures what happens in the models, under <see cref="MoeOffload.Diagnostics.MoeTelemetry"/>, and ASP.NET
/// Core the duration of each request.
/// </summary>
internal sealed class ServerMetrics
{
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _ignoredFields;

    public ServerMetrics(IMeterFactory meters, ModelHost models)
    {
        Meter meter = meters.Create(ServerMeter.Name);
        _active = meter.CreateUpDownCounter<long>("moe.requests.active", "{request}", "Requests that are being processed");
        _requests = meter.CreateCounter<long>("moe.requests", "{request}", "Requests that were answered");
        _ignoredFields = meter.CreateCounter<long>("moe.requests.ignored_fields", "{field}", "Fields of requests that were accepted without an effect");
        meter.CreateObservableGauge("moe.models.loaded", () => models.GetLoaded().Count, "{model}", "Models in memory");
    }

    public void CountIgnored(int fields) => _ignoredFields.Add(fields);

    public void Begin() => _active.Add(1);

    public void End(string route, string model, int status)
    {
        _active.Add(-1);
        _requests.Add(1, new TagList { { "http.route", route }, { "gen_ai.request.model", model }, { "http.response.status_code", status } });
    }
}
