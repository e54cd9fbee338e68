namespace MoeOffload.Hosting;

/// <summary>Specifies when a model is loaded.</summary>
public enum ModelLoading
{
    /// <summary>
    /// The model is loaded before the hosted services of the application start. If it cannot be loaded, the application does not start.
    /// </summary>
    AtStart,

    /// <summary>The model begins to load when the application starts, which does not wait for it. Requests wait until it is loaded.</summary>
    InBackground,

    /// <summary>The model is loaded when it is first used.</summary>
    OnFirstUse,
}
