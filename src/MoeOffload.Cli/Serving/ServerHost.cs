using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Server;
using OpenTelemetry.Metrics;

namespace MoeOffload.Cli.Serving;

/// <summary>The server in this process.</summary>
internal static class ServerHost
{
    /// <summary>Makes it, to be started and disposed.</summary>
    /// <param name="catalog">Its models.</param>
    /// <param name="configure">Its options.</param>
    /// <param name="url">Where it is to listen.</param>
    /// <param name="configureLogging">Where its logs go.</param>
    public static WebApplication Build(ModelCatalog catalog, Action<MoeServerOptions> configure, string url, Action<ILoggingBuilder> configureLogging)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [], ContentRootPath = AppContext.BaseDirectory });
        configureLogging(builder.Logging);
        // A token is sent by the thread that wrote it: to hand it to another costs more than to send it, on cores that are busy computing.
        builder.WebHost.UseUrls(url).UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddMoeOffload(catalog, configure);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(ServerMeter.Name).AddPrometheusExporter());
        WebApplication application = builder.Build();
        application.MapMoeOffload();
        application.MapPrometheusScrapingEndpoint("/metrics").RequireMoeOffloadAccess();
        return application;
    }

    /// <summary>Starts it.</summary>
    /// <exception cref="IOException">It cannot listen there.</exception>
    public static async Task StartAsync(WebApplication application, string url, CancellationToken cancellationToken)
    {
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw new IOException($"{url} cannot be listened on: {error.Message} Choose another one with --bind, or let --bind auto find one.", error);
        }
    }

    // The command itself hears Ctrl-C and SIGTERM.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
