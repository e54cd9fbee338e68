using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoeOffload.Shared;

namespace MoeOffload.Aspire.Hosting;

/// <summary>Checks that a server of the application accepts requests, and that the model that it loads when it starts is loaded.</summary>
internal sealed class ServerHealthCheck(IMoeOffloadResource resource) : IHealthCheck
{
    // Later, a model that is idle can be unloaded, and is loaded again by the next request.
    private volatile bool _wasLoaded;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!resource.PrimaryEndpoint.IsAllocated)
        {
            return HealthCheckResult.Unhealthy("The server has no address yet.");
        }

        string? key = resource.ApiKey is { } parameter ? await parameter.GetValueAsync(cancellationToken).ConfigureAwait(false) : null;
        ServerState state = await ServerProbe.AskAsync(new Uri(resource.PrimaryEndpoint.Url), ServerConnection.ModelName(resource), key, cancellationToken).ConfigureAwait(false);
        _wasLoaded |= state.Kind == ServerStateKind.Loaded;
        return state.Kind switch
        {
            ServerStateKind.Loaded => HealthCheckResult.Healthy(state.Description),
            ServerStateKind.Ready when resource.Model is null || _wasLoaded => HealthCheckResult.Healthy(state.Description),
            ServerStateKind.Ready => HealthCheckResult.Unhealthy("The model is not loaded yet."),
            _ => HealthCheckResult.Unhealthy(state.Description),
        };
    }
}
