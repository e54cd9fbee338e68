namespace MoeOffload.Server;

/// <summary>Specifies the state of a model on the server.</summary>
public enum ModelState
{
    /// <summary>The model is not in memory; the next request loads it.</summary>
    Unloaded,

    /// <summary>The model is being loaded.</summary>
    Loading,

    /// <summary>The model is in memory.</summary>
    Loaded,

    /// <summary>The last attempt to load the model failed; the next request tries again.</summary>
    Failed,
}
