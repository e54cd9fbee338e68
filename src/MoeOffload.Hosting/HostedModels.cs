using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MoeOffload.Hosting.Settings;

namespace MoeOffload.Hosting;

/// <summary>Creates and finds the models of a service provider.</summary>
internal static class HostedModels
{
    /// <summary>Gets the model that was added with a key, or without one.</summary>
    public static HostedModel Get(IServiceProvider services, string? key) =>
        key is null ? services.GetRequiredService<HostedModel>() : services.GetRequiredKeyedService<HostedModel>(key);

    /// <summary>Creates the model that was added with a key, or without one.</summary>
    /// <exception cref="OptionsValidationException">The options of the model are not valid.</exception>
    public static HostedModel Create(IServiceProvider services, string? key) => new(
        services.GetRequiredService<IOptionsMonitor<HostedModelOptions>>().Get(key ?? Options.DefaultName),
        services.GetRequiredService<ModelFiles>(),
        services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
        services.GetService<TimeProvider>() ?? TimeProvider.System,
        services.GetService<IHostApplicationLifetime>());
}
