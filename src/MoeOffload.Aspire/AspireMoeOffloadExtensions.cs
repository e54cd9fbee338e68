using System.ClientModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MoeOffload.Aspire;
using OpenAI;
using OpenAI.Chat;

namespace Microsoft.Extensions.Hosting;

/// <summary>Provides extension methods that add clients of MoeOffload's server to an application.</summary>
public static class AspireMoeOffloadExtensions
{
    private const string Section = "Aspire:MoeOffload";

    // Of UseOpenTelemetry, if no other name is passed to it.
    private const string TelemetryName = "Experimental.Microsoft.Extensions.AI";

    // OpenAI's client always sends a key. A server without keys ignores it.
    private const string NoKey = "none";

    /// <summary>Adds an <see cref="IChatClient"/> that sends its requests to a server of MoeOffload.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="connectionName">The name of the connection string, which is that of the resource in an Aspire application.</param>
    /// <param name="configureSettings">A delegate that configures the settings after the configuration, or <see langword="null"/> if there is none.</param>
    /// <returns>A builder to which further steps can be added.</returns>
    /// <remarks>
    /// A health check, traces and metrics are registered too, unless the settings disable them. The client throws an
    /// <see cref="InvalidOperationException"/> when it is resolved if the endpoint or the model is missing.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The connection string or a setting is not valid.</exception>
    public static ChatClientBuilder AddMoeOffloadChatClient(
        this IHostApplicationBuilder builder, string connectionName, Action<MoeOffloadClientSettings>? configureSettings = null)
    {
        MoeOffloadClientSettings settings = ReadSettings(builder, connectionName, configureSettings);
        return AddTelemetry(builder.Services.AddChatClient(_ => CreateClient(settings, connectionName)), settings);
    }

    /// <summary>Adds an <see cref="IChatClient"/> with a key, so that an application can use several servers or models.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name of the connection string, and the key of the service.</param>
    /// <param name="configureSettings">A delegate that configures the settings after the configuration, or <see langword="null"/> if there is none.</param>
    /// <returns>A builder to which further steps can be added.</returns>
    /// <inheritdoc cref="AddMoeOffloadChatClient" path="/remarks|/exception"/>
    public static ChatClientBuilder AddKeyedMoeOffloadChatClient(
        this IHostApplicationBuilder builder, string name, Action<MoeOffloadClientSettings>? configureSettings = null)
    {
        MoeOffloadClientSettings settings = ReadSettings(builder, name, configureSettings);
        return AddTelemetry(builder.Services.AddKeyedChatClient(name, _ => CreateClient(settings, name)), settings);
    }

    private static MoeOffloadClientSettings ReadSettings(IHostApplicationBuilder builder, string name, Action<MoeOffloadClientSettings>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        var settings = new MoeOffloadClientSettings();
        IConfigurationSection section = builder.Configuration.GetSection(Section);
        section.Bind(settings);
        section.GetSection(name).Bind(settings);
        if (builder.Configuration.GetConnectionString(name) is { Length: > 0 } connection)
        {
            settings.Read(connection, name);
        }

        configure?.Invoke(settings);
        Register(builder.Services, settings, name);
        return settings;
    }

    private static void Register(IServiceCollection services, MoeOffloadClientSettings settings, string name)
    {
        if (!settings.DisableHealthChecks)
        {
            string check = $"MoeOffload_{name}";
            services.AddHealthChecks();
            services.Configure<HealthCheckServiceOptions>(options =>
            {
                // A client with a key and one without can have the same connection.
                if (options.Registrations.All(registration => registration.Name != check))
                {
                    options.Registrations.Add(new HealthCheckRegistration(check, new ServedModelHealthCheck(settings, name), failureStatus: null, tags: null));
                }
            });
        }

        if (!settings.DisableTracing)
        {
            services.AddOpenTelemetry().WithTracing(traces => traces.AddSource(TelemetryName));
        }

        if (!settings.DisableMetrics)
        {
            services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(TelemetryName));
        }
    }

    private static IChatClient CreateClient(MoeOffloadClientSettings settings, string name)
    {
        (Uri baseUrl, string model) = settings.Require(name);
        var options = new OpenAIClientOptions { Endpoint = baseUrl, NetworkTimeout = settings.NetworkTimeout };
        return new ChatClient(model, new ApiKeyCredential(settings.Key is { Length: > 0 } key ? key : NoKey), options).AsIChatClient();
    }

    private static ChatClientBuilder AddTelemetry(ChatClientBuilder builder, MoeOffloadClientSettings settings) =>
        settings.DisableTracing && settings.DisableMetrics
            ? builder
            : builder.Use((client, provider) => new OpenTelemetryChatClient(client, provider.GetService<ILoggerFactory>()?.CreateLogger(typeof(OpenTelemetryChatClient)))
            {
                EnableSensitiveData = settings.EnableSensitiveTelemetryData ?? IsContentCaptured(),
            });

    private static bool IsContentCaptured() =>
        bool.TryParse(Environment.GetEnvironmentVariable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"), out bool isCaptured) && isCaptured;
}
