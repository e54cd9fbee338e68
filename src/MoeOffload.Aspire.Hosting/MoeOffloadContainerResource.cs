using MoeOffload.Aspire.Hosting;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Represents a server of MoeOffload that runs in a container.</summary>
public sealed class MoeOffloadContainerResource : ContainerResource, IMoeOffloadResource
{
    private readonly ServerSettings _settings = new();

    /// <summary>Initializes a new instance.</summary>
    /// <param name="name">The name of the resource.</param>
    public MoeOffloadContainerResource(string name)
        : base(name)
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
