using Aspire.Hosting.ApplicationModel;

namespace MoeOffload.Aspire.Hosting;

/// <summary>Represents what the application model says about a server, from which its command line is made when it starts.</summary>
internal sealed class ServerSettings : IResourceAnnotation
{
    /// <summary>Gets or sets the arguments of the command that come before <c>serve</c>.</summary>
    public IReadOnlyList<string> CommandArguments { get; set; } = [];

    public ModelSource? Model { get; set; }

    public ParameterResource? ApiKey { get; set; }

    /// <summary>Gets or sets the arguments for the placement of the experts, which the last call decides.</summary>
    public IReadOnlyList<string> Experts { get; set; } = [];

    public string? Placement { get; set; }

    public int? ContextLength { get; set; }

    /// <summary>Gets the directories with models, as the server sees them.</summary>
    public IList<string> ModelDirectories { get; } = [];

    /// <summary>Gets the settings of a resource.</summary>
    public static ServerSettings Of(IResource resource) => resource.Annotations.OfType<ServerSettings>().FirstOrDefault()
        ?? throw new InvalidOperationException($"The resource '{resource.Name}' was not created by AddMoeOffload or AddMoeOffloadContainer.");
}
