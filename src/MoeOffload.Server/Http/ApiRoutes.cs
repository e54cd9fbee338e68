using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace MoeOffload.Server;

/// <summary>
/// Where the APIs put their endpoints. A group of endpoints is a static class with a method that takes this and calls <see cref="Map"/>
/// for each; <see cref="MoeServerExtensions.MapMoeOffload"/> calls all groups.
/// </summary>
internal sealed class ApiRoutes(IEndpointRouteBuilder endpoints, ApiPipeline pipeline)
{
    private readonly HashSet<string> _patterns = new(StringComparer.Ordinal);

    /// <summary>The application's routes, for what is no API: pages and sockets.</summary>
    public IEndpointRouteBuilder Endpoints => endpoints;

    /// <summary>Puts an endpoint behind all that holds for every one: key, origin, limits, time, errors, logs, metrics, traces.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="pattern">The path, as ASP.NET Core writes it.</param>
    /// <param name="errors">How the API tells of errors.</param>
    /// <param name="handler">Answers a request; what it throws becomes an error of the API.</param>
    /// <param name="access">Who may ask.</param>
    public void Map(string method, string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Work)
    {
        endpoints.MapMethods(pattern, [method], http => pipeline.InvokeAsync(http, pattern, errors, handler, access));
        if (_patterns.Add(pattern))
        {
            endpoints.MapMethods(pattern, ["OPTIONS"], pipeline.PreflightAsync);
        }
    }

    /// <inheritdoc cref="Map"/>
    public void Get(string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Look) =>
        Map("GET", pattern, errors, handler, access);

    /// <inheritdoc cref="Map"/>
    public void Post(string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Work) =>
        Map("POST", pattern, errors, handler, access);
}
