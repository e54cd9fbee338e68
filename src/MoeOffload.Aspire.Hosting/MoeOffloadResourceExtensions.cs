using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using MoeOffload.Aspire.Hosting;

namespace Aspire.Hosting;

/// <summary>Provides extension methods that configure servers of MoeOffload in an Aspire application.</summary>
public static class MoeOffloadResourceExtensions
{
    private const int MaxLayers = 512;
    private const int MaxContextLength = 1 << 28;
    private const string Data = "/data";
    private const string Directories = "/model-directories";

    /// <summary>Sets the model that the server loads when it starts. The resource becomes healthy when it is loaded.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="model">
    /// <c>ORG/REPO</c> or <c>ORG/REPO:QUANT</c> of Hugging Face, which is downloaded if it is not in the cache, the path of a GGUF file, relative to
    /// the directory of the app host, or any other name of a model that <c>moe list</c> shows.
    /// </param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>Requests name the model by the name of the resource, which is also the model in the connection string.</remarks>
    /// <exception cref="ArgumentException"><paramref name="model"/> is empty.</exception>
    public static IResourceBuilder<T> WithModel<T>(this IResourceBuilder<T> builder, string model)
        where T : IMoeOffloadResource
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        return builder.Set(settings => settings.Model = new ModelSource(model));
    }

    /// <summary>Keeps the experts of all layers in system memory.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IResourceBuilder<T> WithCpuMoe<T>(this IResourceBuilder<T> builder)
        where T : IMoeOffloadResource => builder.Set(settings => settings.Experts = ["--cpu-moe"]);

    /// <summary>Keeps the experts of the first layers in system memory.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="layers">The number of layers, from 0 to 512.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is out of range.</exception>
    public static IResourceBuilder<T> WithCpuMoe<T>(this IResourceBuilder<T> builder, int layers)
        where T : IMoeOffloadResource
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(layers, MaxLayers);
        return builder.Set(settings => settings.Experts = ["--n-cpu-moe", layers.ToString(CultureInfo.InvariantCulture)]);
    }

    /// <summary>Sets placement rules for tensors.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="rules">The rules in the notation of llama.cpp, such as <c>blk\.[0-9]\.ffn_.*_exps=CPU</c>, separated by commas. The first one that matches decides.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="rules"/> is empty.</exception>
    public static IResourceBuilder<T> WithPlacement<T>(this IResourceBuilder<T> builder, string rules)
        where T : IMoeOffloadResource
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(rules);
        return builder.Set(settings => settings.Placement = rules);
    }

    /// <summary>Sets the length of the context.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="tokens">The number of tokens, or 0 to choose it by the model and the memory.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tokens"/> is negative or above 268,435,456.</exception>
    public static IResourceBuilder<T> WithContextLength<T>(this IResourceBuilder<T> builder, int tokens)
        where T : IMoeOffloadResource
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, MaxContextLength);
        return builder.Set(settings => settings.ContextLength = tokens);
    }

    /// <summary>Requires an API key, which is passed to the resources that refer to the server.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="key">The parameter with the key, or <see langword="null"/> to generate one, which is kept in the user secrets of the app host.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IResourceBuilder<T> WithApiKey<T>(this IResourceBuilder<T> builder, IResourceBuilder<ParameterResource>? key = null)
        where T : IMoeOffloadResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        ParameterResource parameter = key?.Resource
            ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder.ApplicationBuilder, $"{builder.Resource.Name}-key", special: false);
        return builder.Set(settings => settings.ApiKey = parameter);
    }

    /// <summary>Sets the access token for private and gated models on Hugging Face.</summary>
    /// <typeparam name="T">The type of the resource.</typeparam>
    /// <param name="builder">The server.</param>
    /// <param name="token">The parameter with the token.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IResourceBuilder<T> WithHubToken<T>(this IResourceBuilder<T> builder, IResourceBuilder<ParameterResource> token)
        where T : IMoeOffloadResource
    {
        ArgumentNullException.ThrowIfNull(token);
        return builder.WithEnvironment("HF_TOKEN", token);
    }

    /// <summary>Adds a directory with models.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="path">The directory, relative to the directory of the app host.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or contains a semicolon, which separates directories.</exception>
    public static IResourceBuilder<MoeOffloadResource> WithModelDirectory(this IResourceBuilder<MoeOffloadResource> builder, string path)
    {
        string directory = FullPath(builder, path);
        return builder.Set(settings => settings.ModelDirectories.Add(directory));
    }

    /// <summary>Mounts a directory with models in the container, read-only.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="path">The directory on this machine, relative to the directory of the app host.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <inheritdoc cref="WithModelDirectory(IResourceBuilder{MoeOffloadResource}, string)" path="/exception"/>
    public static IResourceBuilder<MoeOffloadContainerResource> WithModelDirectory(this IResourceBuilder<MoeOffloadContainerResource> builder, string path)
    {
        string source = FullPath(builder, path);
        var settings = ServerSettings.Of(builder.Resource);
        string target = string.Create(CultureInfo.InvariantCulture, $"{Directories}/{settings.ModelDirectories.Count + 1}");
        settings.ModelDirectories.Add(target);
        return builder.WithBindMount(source, target, isReadOnly: true);
    }

    /// <summary>Adds a volume for downloaded models, so that they are downloaded only once.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The name of the volume, or <see langword="null"/> to derive it from the names of the application and of the resource.</param>
    /// <returns><paramref name="builder"/>.</returns>
    public static IResourceBuilder<MoeOffloadContainerResource> WithDataVolume(this IResourceBuilder<MoeOffloadContainerResource> builder, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithVolume(name ?? VolumeNameGenerator.Generate(builder, "data"), Data);
    }

    /// <summary>Runs another command as the server, instead of the package <c>MoeOffload.Cli</c>.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="command">The command, which is searched for in <c>PATH</c> if it has no directory, such as <c>moe</c>.</param>
    /// <param name="arguments">The arguments that come before <c>serve</c>, such as the path of <c>moe.dll</c> if the command is <c>dotnet</c>.</param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="command"/> is empty.</exception>
    public static IResourceBuilder<MoeOffloadResource> WithServerCommand(this IResourceBuilder<MoeOffloadResource> builder, string command, params string[] arguments)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(command);
        ArgumentNullException.ThrowIfNull(arguments);
        return builder.Set(settings => settings.CommandArguments = [.. arguments]).WithCommand(command);
    }

    private static IResourceBuilder<T> Set<T>(this IResourceBuilder<T> builder, Action<ServerSettings> set)
        where T : IMoeOffloadResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        set(ServerSettings.Of(builder.Resource));
        return builder;
    }

    private static string FullPath<T>(IResourceBuilder<T> builder, string path)
        where T : IMoeOffloadResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return path.Contains(';', StringComparison.Ordinal)
            ? throw new ArgumentException($"The directory '{path}' contains a semicolon, which separates directories. Use another directory.", nameof(path))
            : Path.GetFullPath(path, builder.ApplicationBuilder.AppHostDirectory);
    }
}
