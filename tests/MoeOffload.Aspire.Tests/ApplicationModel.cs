using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace MoeOffload.Aspire.Tests;

/// <summary>Reads what Aspire would start, without starting it.</summary>
internal static class ApplicationModel
{
    /// <summary>The port that a server listens on.</summary>
    public const int TargetPort = 5001;

    /// <summary>The port that other resources use.</summary>
    public const int Port = 4001;

    /// <summary>Creates an application without resources.</summary>
    public static IDistributedApplicationTestingBuilder Create(params string[] arguments) => DistributedApplicationTestingBuilder.Create(arguments);

    /// <summary>Gives a server its ports, as the orchestrator does when it starts the application.</summary>
    public static IResourceBuilder<T> Allocate<T>(this IResourceBuilder<T> server)
        where T : IMoeOffloadResource => server.WithEndpoint("http", endpoint =>
        {
            endpoint.TargetPort ??= TargetPort;
            endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", Port, targetPortExpression: endpoint.TargetPort?.ToString(CultureInfo.InvariantCulture));
        });

    /// <summary>Gets the command line that a server is started with.</summary>
    public static async Task<string[]> ArgumentsAsync<T>(this IResourceBuilder<T> server)
        where T : IMoeOffloadResource => [.. (await BuildAsync(server)).Arguments.Select(argument => argument.Value)];

    /// <summary>Gets the environment variables that a resource is started with.</summary>
    public static async Task<Dictionary<string, string>> EnvironmentAsync<T>(this IResourceBuilder<T> resource)
        where T : IResource => (await BuildAsync(resource)).EnvironmentVariables.ToDictionary(variable => variable.Key, variable => variable.Value);

    private static async Task<IExecutionConfigurationResult> BuildAsync<T>(IResourceBuilder<T> resource)
        where T : IResource
    {
        IExecutionConfigurationResult result = await ExecutionConfigurationBuilder.Create(resource.Resource)
            .WithArgumentsConfig()
            .WithEnvironmentVariablesConfig()
            .BuildAsync(resource.ApplicationBuilder.ExecutionContext, NullLogger.Instance, CancellationToken.None);
        return result.Exception is { } error ? throw error : result;
    }
}
