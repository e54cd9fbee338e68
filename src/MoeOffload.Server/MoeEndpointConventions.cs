using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MoeOffload.Server.OpenAI;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server;

/// <summary>Provides extension methods that apply the server's access rules to other endpoints of an application.</summary>
public static class MoeEndpointConventions
{
    /// <summary>
    /// Protects an application's endpoint as the server's own endpoints are: a request needs one of the <see cref="AccessOptions.ApiKeys"/>,
    /// if there are any, and an allowed origin. The requests appear in the server's logs, metrics and traces.
    /// </summary>
    /// <param name="builder">The endpoint to protect, such as one that exports metrics.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddMoeOffload</c> was not called. The exception is thrown when the endpoints are built.</exception>
    public static TBuilder RequireMoeOffloadAccess<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Finally(endpoint =>
        {
            RequestDelegate? inner = endpoint.RequestDelegate;
            ApiPipeline pipeline = ServerServices.GetPipeline(endpoint.ApplicationServices);
            string route = (endpoint as RouteEndpointBuilder)?.RoutePattern.RawText ?? endpoint.DisplayName ?? string.Empty;
            endpoint.RequestDelegate = http => pipeline.InvokeAsync(
                http, route, OpenAIErrors.Format, request => inner?.Invoke(request.Http) ?? Task.CompletedTask, ApiAccess.Look);
        });
        return builder;
    }
}
