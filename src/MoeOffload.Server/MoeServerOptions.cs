namespace MoeOffload.Server;

/// <summary>Represents how models are served: one group of options for each concern.</summary>
public sealed class MoeServerOptions
{
    /// <summary>Gets how models are loaded, and how long they stay in memory.</summary>
    public ModelHostOptions Models { get; } = new();

    /// <summary>Gets what applies to requests that do not say otherwise, and what is logged of them.</summary>
    public RequestDefaults Requests { get; } = new();

    /// <summary>Gets what a request may ask for, and how long it may take.</summary>
    public RequestLimits Limits { get; } = new();

    /// <summary>Gets who may use the server.</summary>
    public AccessOptions Access { get; } = new();
}
