using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Routing;

/// <summary>
/// Collects the endpoints of the APIs. Each API has a static class with a method that takes this and calls <see cref="Map"/> for each of
/// its endpoints.
/// </summary>
internal sealed class ApiRoutes(IEndpointRouteBuilder endpoints, ApiPipeline pipeline)
{
    private readonly Dictionary<string, List<string>> _methods = new(StringComparer.Ordinal);

    /// <summary>Gets the application's routes, for pages and sockets.</summary>
    public IEndpointRouteBuilder Endpoints => endpoints;

    /// <summary>Maps an endpoint, with API keys, origins, limits, errors, logs, metrics, and traces.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="pattern">The route pattern.</param>
    /// <param name="errors">The error format of the API.</param>
    /// <param name="handler">The function that handles a request. Its exceptions are reported in the error format of the API.</param>
    /// <param name="access">The clients that may use the endpoint.</param>
    public void Map(string method, string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Work)
    {
        endpoints.MapMethods(pattern, [method], http => pipeline.InvokeAsync(http, pattern, errors, handler, access));
        if (!_methods.TryGetValue(pattern, out List<string>? methods))
        {
            _methods.Add(pattern, methods = []);
            endpoints.MapMethods(pattern, ["OPTIONS"], pipeline.PreflightAsync);
        }

        methods.Add(method);
    }

    /// <summary>Returns the methods of an endpoint without parameters; empty if there is none at the path.</summary>
    public IReadOnlyList<string> MethodsOf(string path) => _methods.TryGetValue(path, out List<string>? methods) ? methods : [];

    /// <inheritdoc cref="Map"/>
    public void Get(string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Look) =>
        Map("GET", pattern, errors, handler, access);

    /// <inheritdoc cref="Map"/>
    public void Post(string pattern, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access = ApiAccess.Work) =>
        Map("POST", pattern, errors, handler, access);
}
