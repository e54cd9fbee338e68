using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoeOffload.Shared;

namespace MoeOffload.Aspire;

/// <summary>Checks that a server accepts requests, and that it has the model.</summary>
internal sealed class ServedModelHealthCheck(MoeOffloadClientSettings settings, string name) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        (Uri baseUrl, string model) = settings.Require(name);
        ServerState state = await ServerProbe.AskAsync(baseUrl, model, settings.Key, cancellationToken).ConfigureAwait(false);
        return state.Kind is ServerStateKind.Loaded or ServerStateKind.Ready
            ? HealthCheckResult.Healthy(state.Description)
            : new HealthCheckResult(context.Registration.FailureStatus, state.Description);
    }
}
