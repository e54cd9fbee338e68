using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace MoeOffload.Server;

/// <summary>What all requests share.</summary>
internal sealed class ApiServices(
    IOptions<MoeServerOptions> options, ModelHost models, ServerMetrics metrics, RequestGate gate, ILogger<ApiServices> logger)
{
    public MoeServerOptions Options => options.Value;

    public ModelHost Models => models;

    public ServerMetrics Metrics => metrics;

    public RequestGate Gate => gate;

    public ILogger Logger => logger;
}
