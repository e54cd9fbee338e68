using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoeOffload.Aspire.Hosting;

namespace Aspire.Hosting;

/// <summary>Provides extension methods that add servers of MoeOffload to an Aspire application.</summary>
public static class MoeOffloadHostingExtensions
{
    private const int ContainerPort = 8080;
    private const string Package = "MoeOffload.Cli";

    // The command and this integration have the same version, whose build metadata is no part of a package's version.
    private static readonly string s_version =
        typeof(MoeOffloadHostingExtensions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Adds a server that runs as the command <c>moe serve</c> on a free port of the loopback interface.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name of the resource, by which the connection string and the requests name it too.</param>
    /// <param name="port">The port that other resources use, or <see langword="null"/> to choose a free one.</param>
    /// <returns>The resource, to which a model and options can be added.</returns>
    /// <remarks>
    /// The .NET SDK runs the command from the package <c>MoeOffload.Cli</c> of the same version, and downloads it at the first start. Use
    /// <see cref="MoeOffloadResourceExtensions.WithServerCommand"/> to run another command. The server requires no key, because it
    /// accepts only requests from this machine, unless <c>WithApiKey</c> sets one.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="name"/> is not a valid name of a resource.</exception>
    public static IResourceBuilder<MoeOffloadResource> AddMoeOffload(this IDistributedApplicationBuilder builder, [ResourceName] string name, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var resource = new MoeOffloadResource(name, "dotnet", builder.AppHostDirectory);
        ServerSettings.Of(resource).CommandArguments = ["tool", "exec", $"{Package}@{s_version}", "--yes", "--"];
        return builder.AddResource(resource)
            .WithHttpEndpoint(port: port, name: ServerConnection.EndpointName)
            .WithServer(builder.AppHostDirectory);
    }

    /// <summary>Adds a server that runs in a container.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The name of the resource, by which the connection string and the requests name it too.</param>
    /// <param name="image">The image, built from the Dockerfile of MoeOffload.</param>
    /// <param name="tag">The tag of the image, or <see langword="null"/> to use <c>latest</c>.</param>
    /// <param name="port">The port of this machine, or <see langword="null"/> to choose a free one.</param>
    /// <returns>The resource, to which a model and options can be added.</returns>
    /// <remarks>The server requires a key, which is generated unless <c>WithApiKey</c> sets another one.</remarks>
    /// <exception cref="ArgumentException"><paramref name="name"/> or <paramref name="image"/> is empty or not valid.</exception>
    public static IResourceBuilder<MoeOffloadContainerResource> AddMoeOffloadContainer(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, string image, string? tag = null, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(image);
        return builder.AddResource(new MoeOffloadContainerResource(name))
            .WithImage(image, tag ?? "latest")
            .WithHttpEndpoint(port: port, targetPort: ContainerPort, name: ServerConnection.EndpointName)
            .WithServer(builder.AppHostDirectory)
            .WithApiKey();
    }

    private static IResourceBuilder<T> WithServer<T>(this IResourceBuilder<T> builder, string directory)
        where T : IMoeOffloadResource
    {
        string check = $"{builder.Resource.Name}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks()
            .Add(new HealthCheckRegistration(check, new ServerHealthCheck(builder.Resource), failureStatus: null, tags: null));
        return builder
            .WithHealthCheck(check)
            .WithArgs(context => ServerArguments.AddTo(context.Args, builder.Resource, directory))
            .WithEnvironment(context =>
            {
                if (builder.Resource.ApiKey is { } key)
                {
                    // Not on the command line, which every user of the machine can see.
                    context.EnvironmentVariables["MOE_API_KEY"] = key;
                }
            })
            .WithOtlpExporter()
            .WithIconName("BrainCircuit")
            .WithUrlForEndpoint(ServerConnection.EndpointName, url => url.DisplayText = "Web page")
            .WithUrlForEndpoint(ServerConnection.EndpointName, endpoint => Link("/v1", "Base URL for OpenAI clients"))
            .WithUrlForEndpoint(ServerConnection.EndpointName, endpoint => Link("/metrics", "Metrics"));

        static ResourceUrlAnnotation Link(string url, string text) => new() { Url = url, DisplayText = text, DisplayLocation = UrlDisplayLocation.DetailsOnly };
    }
}
