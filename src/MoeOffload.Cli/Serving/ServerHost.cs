using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Diagnostics;
using MoeOffload.Server;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace MoeOffload.Cli.Serving;

/// <summary>Builds and starts the server in this process.</summary>
internal static class ServerHost
{
    /// <summary>Builds the server, which the caller must start and dispose.</summary>
    /// <param name="catalog">The models.</param>
    /// <param name="configure">Configures the options of the server.</param>
    /// <param name="url">The address to listen on.</param>
    /// <param name="configureLogging">Configures logging.</param>
    public static WebApplication Build(ModelCatalog catalog, Action<MoeServerOptions> configure, string url, Action<ILoggingBuilder> configureLogging)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [], ContentRootPath = AppContext.BaseDirectory });
        configureLogging(builder.Logging);
        // A token is sent by the thread that wrote it, because switching to another thread costs more if all cores are computing.
        builder.WebHost.UseUrls(url).UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddMoeOffload(catalog, configure);
        AddTelemetry(builder);
        WebApplication application = builder.Build();
        application.MapMoeOffload();
        application.MapPrometheusScrapingEndpoint("/metrics").RequireMoeOffloadAccess();
        return application;
    }

    /// <summary>Starts the server.</summary>
    /// <exception cref="IOException">The server cannot listen on the address.</exception>
    public static async Task StartAsync(WebApplication application, string url, CancellationToken cancellationToken)
    {
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw new IOException($"The server cannot listen on {url}: {error.Message} Choose another address with --bind, or use --bind auto to find one.", error);
        }
    }

    // The variables are those of OpenTelemetry, which exporters read themselves.
    private static void AddTelemetry(WebApplicationBuilder builder)
    {
        IOpenTelemetryBuilder telemetry = builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(ServerMeter.Name, MoeTelemetry.MeterName, "Microsoft.AspNetCore.Hosting")
            .AddPrometheusExporter());
        if (!string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            // The activity of the HTTP request is the parent of all others, and without it, none is recorded.
            telemetry.WithTracing(traces => traces.AddSource("Microsoft.AspNetCore", ServerActivities.SourceName, MoeTelemetry.ActivitySourceName)).UseOtlpExporter();
            if (string.IsNullOrEmpty(builder.Configuration["OTEL_SERVICE_NAME"]))
            {
                telemetry.ConfigureResource(resource => resource.AddService("moe"));
            }
        }
    }

    // The command itself handles Ctrl+C and SIGTERM.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
