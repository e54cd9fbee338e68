using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using MoeOffload.Catalog;
using MoeOffload.Server;

namespace MoeOffload.Documentation.Tests.Reference;

/// <summary>Describes the endpoints by those that the server maps.</summary>
internal static class EndpointReference
{
    /// <summary>Describes all endpoints.</summary>
    public static string Describe()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddMoeOffload(new ModelCatalog(new ModelCatalogOptions()));
        WebApplication application = builder.Build();
        application.MapMoeOffload();
        return ReferencePages.Begin(
                "Endpoints of the server",
                "These are the routes that `MapMoeOffload` maps. [Serving models](../server.md) and [The APIs that the server supports](../server-protocols.md) describe them. "
                + "The files of the web page, and the methods `OPTIONS` and `HEAD`, are left out. `moe serve` also has `GET /metrics`.")
            .AppendTable(
                ["Route", "Methods"],
                ((IEndpointRouteBuilder)application).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                    .Where(endpoint => !Route(endpoint).StartsWith("/web/", StringComparison.Ordinal) && !Route(endpoint).EndsWith("/v1/{**path}", StringComparison.Ordinal))
                    .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["any"]).Select(method => (Method: method, Route: Route(endpoint))))
                    .Where(endpoint => endpoint.Method is not ("OPTIONS" or "HEAD"))
                    .GroupBy(endpoint => endpoint.Route)
                    .OrderBy(route => route.Key, StringComparer.Ordinal)
                    .Select(route => new[] { ReferencePages.Code(route.Key), string.Join(", ", route.Select(endpoint => endpoint.Method).Distinct().Order(StringComparer.Ordinal).Select(ReferencePages.Code)) }))
            .ToString();
    }

    private static string Route(RouteEndpoint endpoint) => '/' + (endpoint.RoutePattern.RawText ?? string.Empty).TrimStart('/');
}
