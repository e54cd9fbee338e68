namespace Aspire.Hosting.ApplicationModel;

/// <summary>Represents a server of MoeOffload in an Aspire application, which runs as a command or in a container.</summary>
public interface IMoeOffloadResource : IResourceWithConnectionString, IResourceWithEndpoints, IResourceWithArgs, IResourceWithEnvironment, IResourceWithWaitSupport
{
    /// <summary>Gets the HTTP endpoint of the server.</summary>
    EndpointReference PrimaryEndpoint { get; }

    /// <summary>Gets the model that the server loads when it starts, or <see langword="null"/> if there is none.</summary>
    /// <remarks>Requests name it as the resource: the connection string has the name of the resource as the model.</remarks>
    string? Model { get; }

    /// <summary>Gets the parameter with the API key, or <see langword="null"/> if the server requires none.</summary>
    ParameterResource? ApiKey { get; }
}
