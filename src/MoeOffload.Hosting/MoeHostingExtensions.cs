using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MoeOffload.Hosting.Settings;

namespace MoeOffload.Hosting;

/// <summary>Provides extension methods that add models to the services of an application.</summary>
public static class MoeHostingExtensions
{
    /// <summary>
    /// Adds a model whose options are in the section <c>MoeOffload</c> of the configuration. The services are <see cref="IChatClient"/>,
    /// <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> for texts, <see cref="HostedModel"/>, <see cref="MoeModel"/> and
    /// <see cref="GenerationSession"/>. All are singletons, and the host disposes them.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="configure">A delegate that configures the options after the configuration, or <see langword="null"/> if there is none.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>
    /// <para>
    /// Options that are not valid stop the application when it starts, with an <see cref="OptionsValidationException"/> that lists all of them
    /// with their keys.
    /// </para>
    /// <para>
    /// The chat client and the embedding generator can be resolved at any time, and their requests wait until the model is loaded. Resolving
    /// <see cref="MoeModel"/> or <see cref="GenerationSession"/> itself blocks until then; <see cref="HostedModel"/> has asynchronous methods.
    /// An <see cref="IChatClient"/> that the application registers before is kept.
    /// </para>
    /// </remarks>
    public static IServiceCollection AddMoeOffload(this IServiceCollection services, Action<HostedModelOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.AddModel(key: null, configure))
        {
            services.AddSingleton(provider => HostedModels.Create(provider, key: null));
            services.TryAddSingleton(provider => HostedModels.Get(provider, key: null).ChatClient);
            services.TryAddSingleton(provider => GetEmbeddingGenerator(provider, key: null));
            services.TryAddSingleton(provider => Wait(HostedModels.Get(provider, key: null).GetModelAsync()));
            services.TryAddSingleton(provider => Wait(HostedModels.Get(provider, key: null).GetSessionAsync()));
        }

        return services;
    }

    /// <summary>
    /// Adds a model whose services have a key, so that an application can have several. Its options are in the section
    /// <c>MoeOffload:Models:KEY</c> of the configuration.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    /// <param name="serviceKey">The key of the services, and the name of the section.</param>
    /// <param name="configure">A delegate that configures the options after the configuration, or <see langword="null"/> if there is none.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="serviceKey"/> is empty, or contains a colon, which separates sections.</exception>
    /// <inheritdoc cref="AddMoeOffload" path="/remarks"/>
    public static IServiceCollection AddKeyedMoeOffload(this IServiceCollection services, string serviceKey, Action<HostedModelOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(serviceKey);
        if (serviceKey.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{serviceKey}' contains a colon, which separates sections of the configuration. Use another key.", nameof(serviceKey));
        }

        if (services.AddModel(serviceKey, configure))
        {
            services.AddKeyedSingleton(serviceKey, (provider, _) => HostedModels.Create(provider, serviceKey));
            services.TryAddKeyedSingleton(serviceKey, (provider, _) => HostedModels.Get(provider, serviceKey).ChatClient);
            services.TryAddKeyedSingleton(serviceKey, (provider, _) => GetEmbeddingGenerator(provider, serviceKey));
            services.TryAddKeyedSingleton(serviceKey, (provider, _) => Wait(HostedModels.Get(provider, serviceKey).GetModelAsync()));
            services.TryAddKeyedSingleton(serviceKey, (provider, _) => Wait(HostedModels.Get(provider, serviceKey).GetSessionAsync()));
        }

        return services;
    }

    // Returns false if the model was added before, and only its options change.
    private static bool AddModel(this IServiceCollection services, string? key, Action<HostedModelOptions>? configure)
    {
        var registration = new ModelRegistration(key);
        bool isNew = !services.Any(service => service.ServiceType == typeof(ModelRegistration) && registration.Equals(service.ImplementationInstance));
        if (isNew)
        {
            services.AddSingleton(registration);
            services.AddOptions<HostedModelOptions>(registration.OptionsName).ValidateOnStart();
        }

        services.TryAddSingleton(provider => new ModelFiles(provider.GetService<IHostEnvironment>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<HostedModelOptions>, ModelValidation>());
        services.AddHostedService<ModelHostedService>();
        if (!services.Any(service => service.ServiceType == typeof(ModelConfiguration)))
        {
            // The configuration comes before the delegates of the application.
            services.AddSingleton(provider => new ModelConfiguration(provider.GetService<IConfiguration>(), provider.GetServices<ModelRegistration>()));
            services.AddSingleton<IConfigureOptions<HostedModelOptions>>(provider => provider.GetRequiredService<ModelConfiguration>());
        }

        if (configure is not null)
        {
            services.Configure(registration.OptionsName, configure);
        }

        return isNew;
    }

    private static IEmbeddingGenerator<string, Embedding<float>> GetEmbeddingGenerator(IServiceProvider services, string? key)
    {
        HostedModel model = HostedModels.Get(services, key);
        return model.HasEmbedder
            ? model.EmbeddingGenerator
            : throw new InvalidOperationException(
                $"The model '{model.Id}' computes no embeddings. Set {new ModelRegistration(key).SectionPath}:Embeddings to true in the configuration.");
    }

    // A thread that is blocked by a load is not one that the load needs.
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
