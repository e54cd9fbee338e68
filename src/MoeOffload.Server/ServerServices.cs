using Microsoft.Extensions.DependencyInjection;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server;

/// <summary>Indicates that <c>AddMoeOffload</c> has already been called for an application.</summary>
internal sealed class ServerServices
{
    private int _isMapped;

    /// <summary>Gets the pipeline that all endpoints of the server run in.</summary>
    /// <exception cref="InvalidOperationException"><c>AddMoeOffload</c> was not called.</exception>
    public static ApiPipeline GetPipeline(IServiceProvider services)
    {
        Get(services);
        return services.GetRequiredService<ApiPipeline>();
    }

    /// <summary>Records that the endpoints are mapped.</summary>
    /// <exception cref="InvalidOperationException">The endpoints are already mapped, or <c>AddMoeOffload</c> was not called.</exception>
    public static void MapOnce(IServiceProvider services)
    {
        if (Interlocked.Exchange(ref Get(services)._isMapped, 1) != 0)
        {
            throw new InvalidOperationException("MapMoeOffload was called twice on this application. Remove one of the calls.");
        }
    }

    private static ServerServices Get(IServiceProvider services) => services.GetService<ServerServices>() ?? throw new InvalidOperationException(
        "The services of MoeOffload.Server are missing. Call builder.Services.AddMoeOffload(catalog) before the application is built.");
}
