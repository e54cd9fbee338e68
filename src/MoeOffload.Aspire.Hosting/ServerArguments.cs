using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace MoeOffload.Aspire.Hosting;

/// <summary>Makes the command line of a server.</summary>
internal static class ServerArguments
{
    // In a container, other containers must reach the server, and the port is that of the image.
    private const string AllInterfaces = "0.0.0.0";
    private const string Loopback = "127.0.0.1";

    /// <summary>Adds the arguments of the command, from <c>serve</c> on or from those before it.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="resource">The server.</param>
    /// <param name="modelDirectory">The directory that relative paths of models start in, or <see langword="null"/> in a container.</param>
    public static void AddTo(IList<object> arguments, IMoeOffloadResource resource, string? modelDirectory)
    {
        var settings = ServerSettings.Of(resource);
        bool isContainer = resource is MoeOffloadContainerResource;
        Add(settings.CommandArguments);
        Add(["serve"]);
        if (settings.Model is { } model)
        {
            Add([.. model.Arguments(isContainer ? null : modelDirectory), "--alias", resource.Name]);
        }

        Add(["--bind"]);
        arguments.Add(ReferenceExpression.Create(
            $"{(isContainer ? AllInterfaces : Loopback)}:{resource.PrimaryEndpoint.Property(EndpointProperty.TargetPort)}"));
        Add(settings.Experts);
        Add(settings.Placement is { } rules ? ["--override-tensor", rules] : []);
        Add(settings.ContextLength is { } length ? ["--ctx-size", length.ToString(CultureInfo.InvariantCulture)] : []);
        Add(settings.ModelDirectories.Count > 0 ? ["--model-dirs", string.Join(';', settings.ModelDirectories)] : []);

        void Add(IEnumerable<string> texts)
        {
            foreach (string text in texts)
            {
                arguments.Add(text);
            }
        }
    }
}
