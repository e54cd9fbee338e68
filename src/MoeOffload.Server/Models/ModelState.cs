namespace MoeOffload.Server;

/// <summary>Whether a model can answer.</summary>
public enum ModelState
{
    /// <summary>It is not in memory; the first request loads it.</summary>
    Unloaded,

    /// <summary>It is being loaded.</summary>
    Loading,

    /// <summary>It is in memory.</summary>
    Loaded,

    /// <summary>The last load failed; the next request tries again.</summary>
    Failed,
}
