namespace MoeOffload.Hosting;

/// <summary>Specifies the state of a model that a host loads.</summary>
public enum HostedModelState
{
    /// <summary>The model has not been loaded yet, or has been unloaded.</summary>
    NotLoaded,

    /// <summary>The model is being loaded.</summary>
    Loading,

    /// <summary>The model is loaded.</summary>
    Loaded,

    /// <summary>The model could not be loaded. The next use tries again.</summary>
    Failed,
}
