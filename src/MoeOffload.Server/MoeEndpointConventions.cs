using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MoeOffload.Server.OpenAI;

namespace MoeOffload.Server;

/// <summary>Applies the server's own rules to other endpoints of an application.</summary>
public static class MoeEndpointConventions
{
    /// <summary>
    /// Requires for an application's endpoint what the server's own endpoints require: a key of <see cref="AccessOptions.ApiKeys"/>, and a
    /// page's origin that is allowed. Its requests appear in the server's logs, measurements and traces.
    /// </summary>
    /// <param name="builder">The endpoint, such as the one that exports metrics.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="InvalidOperationException"><c>AddMoeOffload</c> was not called; thrown when endpoints are built.</exception>
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
