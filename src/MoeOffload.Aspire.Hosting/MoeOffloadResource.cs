using MoeOffload.Aspire.Hosting;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Represents a server of MoeOffload that runs as the command <c>moe serve</c>.</summary>
public sealed class MoeOffloadResource : ExecutableResource, IMoeOffloadResource
{
    private readonly ServerSettings _settings = new();

    /// <summary>Initializes a new instance.</summary>
    /// <param name="name">The name of the resource.</param>
    /// <param name="command">The command that runs the server.</param>
    /// <param name="workingDirectory">The working directory of the command.</param>
    public MoeOffloadResource(string name, string command, string workingDirectory)
        : base(name, command, workingDirectory)
    {
        Annotations.Add(_settings);
        PrimaryEndpoint = new EndpointReference(this, ServerConnection.EndpointName);
    }

    /// <inheritdoc/>
    public EndpointReference PrimaryEndpoint { get; }

    /// <inheritdoc/>
    public string? Model => _settings.Model?.Name;

    /// <inheritdoc/>
    public ParameterResource? ApiKey => _settings.ApiKey;

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => ServerConnection.Describe(this);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() => ServerConnection.List(this);
}
