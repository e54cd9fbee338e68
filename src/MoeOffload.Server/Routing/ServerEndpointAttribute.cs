namespace MoeOffload.Server.Routing;

/// <summary>Marks the server's own endpoints among those of an application.</summary>
[AttributeUsage(AttributeTargets.All)]
internal sealed class ServerEndpointAttribute : Attribute;
