using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Server.Anthropic;
using MoeOffload.Server.Ollama;
using MoeOffload.Server.OpenAI;
using MoeOffload.Server.Shimmy;
using MoeOffload.Server.Web;
using OpenTelemetry.Metrics;

namespace MoeOffload.Server;

/// <summary>Puts the server into an ASP.NET Core application.</summary>
public static class MoeServerExtensions
{
    // What the host does after requests have ended, models unloaded included.
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(10);

    /// <summary>Adds what serves models.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="catalog">The models by name.</param>
    /// <param name="configure">Sets the options.</param>
    public static IServiceCollection AddMoeOffload(this IServiceCollection services, ModelCatalog catalog, Action<MoeServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(catalog);
        services.AddOptions<MoeServerOptions>();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.PostConfigure<MoeServerOptions>(options => options.Validate());

        services.AddCors();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(catalog);
        services.AddSingleton<ModelHost>();
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton<RequestGate>();
        services.AddSingleton<ApiServices>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<Origins>();
        services.AddSingleton<ApiPipeline>();
        services.AddHostedService<AddressGuard>();
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(ServerMetrics.MeterName).AddPrometheusExporter());
        services.AddOptions<HostOptions>().Configure<IOptions<MoeServerOptions>>((host, server) =>
        {
            TimeSpan needed = server.Value.ShutdownGrace + s_closing;
            host.ShutdownTimeout = host.ShutdownTimeout < needed ? needed : host.ShutdownTimeout;
        });
        return services;
    }

    /// <summary>Maps the endpoints of all APIs.</summary>
    /// <param name="endpoints">The application.</param>
    /// <exception cref="ArgumentException">An option is missing or outside its range.</exception>
    public static IEndpointRouteBuilder MapMoeOffload(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var routes = new ApiRoutes(endpoints, endpoints.ServiceProvider.GetRequiredService<ApiPipeline>());
        OperationsEndpoints.Map(routes);
        OpenAIEndpoints.Map(routes);
        AnthropicEndpoints.Map(routes);
        var files = new FileFactsReader();
        OllamaEndpoints.Map(routes, files);
        ShimmyEndpoints.Map(routes, files);
        WebPage.Map(endpoints);
        return endpoints;
    }
}
