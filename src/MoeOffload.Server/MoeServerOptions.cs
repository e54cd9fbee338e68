namespace MoeOffload.Server;

/// <summary>Represents the options of the server.</summary>
public sealed class MoeServerOptions
{
    /// <summary>Gets the options for loading and unloading models.</summary>
    public ModelHostOptions Models { get; } = new();

    /// <summary>Gets the defaults of requests and the options for logging them.</summary>
    public RequestDefaults Requests { get; } = new();

    /// <summary>Gets the limits of requests.</summary>
    public RequestLimits Limits { get; } = new();

    /// <summary>Gets the options that determine who may use the server.</summary>
    public AccessOptions Access { get; } = new();
}
