using Microsoft.Extensions.Logging;
using MoeOffload.Server.Diagnostics;

namespace MoeOffload.Server.Http;

/// <summary>Represents the services that all requests share.</summary>
internal sealed class ApiServices(
    RequestDefaults options,
    RequestLimits limits,
    ModelHost models,
    ServerMetrics metrics,
    RequestGate gate,
    IgnoredFields ignoredFields,
    ILogger<ApiServices> logger)
{
    public RequestDefaults Options => options;

    public RequestLimits Limits => limits;

    public ModelHost Models => models;

    public ServerMetrics Metrics => metrics;

    public RequestGate Gate => gate;

    public IgnoredFields IgnoredFields => ignoredFields;

    public ILogger Logger => logger;
}
