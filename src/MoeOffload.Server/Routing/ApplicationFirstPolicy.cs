using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace MoeOffload.Server.Routing;

/// <summary>
/// Lets an application's own endpoint take the place of the server's endpoint with the same route, such as <c>/</c> or <c>/health</c>.
/// ASP.NET Core would otherwise find the two ambiguous, and answer with status 500.
/// </summary>
internal sealed class ApplicationFirstPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    // This policy runs after all others that remove candidates.
    public override int Order => int.MaxValue;

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) =>
        endpoints.Any(endpoint => IsOurs(endpoint) && endpoints.Any(other => IsRival(endpoint, other)));

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates.IsValidCandidate(i) && IsOurs(candidates[i].Endpoint) && HasRival(candidates, candidates[i].Endpoint))
            {
                candidates.SetValidity(i, false);
            }
        }

        return Task.CompletedTask;
    }

    private static bool HasRival(CandidateSet candidates, Endpoint ours)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates.IsValidCandidate(i) && IsRival(ours, candidates[i].Endpoint))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsOurs(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ServerEndpointAttribute>() is not null;

    private static bool IsRival(Endpoint ours, Endpoint other) =>
        !IsOurs(other) && string.Equals(RouteOf(ours), RouteOf(other), StringComparison.OrdinalIgnoreCase);

    private static string? RouteOf(Endpoint endpoint) => (endpoint as RouteEndpoint)?.RoutePattern.RawText?.Trim('/');
}
