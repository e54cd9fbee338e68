using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MoeOffload.Catalog;
using MoeOffload.Server.Anthropic;
using MoeOffload.Server.Diagnostics;
using MoeOffload.Server.Http;
using MoeOffload.Server.Llama;
using MoeOffload.Server.Models;
using MoeOffload.Server.Ollama;
using MoeOffload.Server.OpenAI;
using MoeOffload.Server.Operations;
using MoeOffload.Server.Routing;
using MoeOffload.Server.Security;
using MoeOffload.Server.Shimmy;
using MoeOffload.Server.Web;

namespace MoeOffload.Server;

/// <summary>Provides extension methods that add the server to an ASP.NET Core application.</summary>
public static class MoeServerExtensions
{
    // The time for the host to stop after all requests have ended, including unloading models.
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Adds the services that serve models. Services that the application has registered before, such as its own
    /// <see cref="TimeProvider"/>, are kept. Options that are not valid stop the application when it starts, with an
    /// <see cref="OptionsValidationException"/> that lists all of them.
    /// </summary>
    /// <param name="services">The service collection of the application.</param>
    /// <param name="catalog">The catalog of the models to serve.</param>
    /// <param name="configure">A delegate that configures the options, or <see langword="null"/> to use the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddMoeOffload(this IServiceCollection services, ModelCatalog catalog, Action<MoeServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(catalog);
        services.AddCors();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(catalog);
        services.TryAddSingleton<ModelHost>();
        services.TryAddSingleton<ServerMetrics>();
        services.TryAddSingleton<RequestGate>();
        services.TryAddSingleton<IgnoredFields>();
        services.TryAddSingleton<ApiServices>();
        services.TryAddSingleton<ApiKeys>();
        services.TryAddSingleton<Origins>();
        services.TryAddSingleton<ApiPipeline>();
        services.TryAddSingleton<ServerServices>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ApplicationFirstPolicy>());
        services.AddHostedService<AddressGuard>();
        return services.AddServerOptions(configure);
    }

    /// <summary>
    /// Maps the endpoints of all APIs, the page at <c>/</c>, <c>/health</c> and <c>/ready</c>. If the application maps
    /// an endpoint with the same route itself, that endpoint is used instead of the server's.
    /// </summary>
    /// <param name="endpoints">The endpoint route builder of the application.</param>
    /// <returns>A builder that applies conventions, such as a required host or an authorization policy, to all these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><see cref="AddMoeOffload"/> was not called, or the endpoints are already mapped.</exception>
    /// <exception cref="OptionsValidationException">Options are not valid; the exception lists all of them.</exception>
    public static IEndpointConventionBuilder MapMoeOffload(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ServerServices.MapOnce(endpoints.ServiceProvider);
        RouteGroupBuilder group = endpoints.MapGroup(string.Empty);
        group.WithMetadata(new ServerEndpointAttribute());
        var routes = new ApiRoutes(group, ServerServices.GetPipeline(endpoints.ServiceProvider));
        var files = new FileFactsReader();
        OperationsEndpoints.Map(routes);
        OpenAIEndpoints.Map(routes);
        LlamaEndpoints.Map(routes);
        AnthropicEndpoints.Map(routes);
        OllamaEndpoints.Map(routes, files);
        ShimmyEndpoints.Map(routes, files);
        WebPage.Map(group);
        return group;
    }

    // Each part of the server gets only the group of options that it needs.
    private static IServiceCollection AddServerOptions(this IServiceCollection services, Action<MoeServerOptions>? configure)
    {
        OptionsBuilder<MoeServerOptions> options = services.AddOptions<MoeServerOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<MoeServerOptions>, MoeServerOptionsValidator>());
        services.TryAddSingleton(provider => Options(provider).Models);
        services.TryAddSingleton(provider => Options(provider).Requests);
        services.TryAddSingleton(provider => Options(provider).Limits);
        services.TryAddSingleton(provider => Options(provider).Access);
        services.AddOptions<HostOptions>().PostConfigure<IOptions<MoeServerOptions>>((host, server) =>
        {
            TimeSpan needed = server.Value.Limits.ShutdownGrace + s_closing;
            host.ShutdownTimeout = host.ShutdownTimeout < needed ? needed : host.ShutdownTimeout;
        });
        return services;

        static MoeServerOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<MoeServerOptions>>().Value;
    }
}
