namespace MoeOffload.Shared;

/// <summary>Specifies what a server can do.</summary>
internal enum ServerStateKind
{
    /// <summary>The server accepts requests. The model is not loaded.</summary>
    Ready,

    /// <summary>The server accepts requests, which wait until the model is loaded.</summary>
    Loading,

    /// <summary>The server accepts requests, and the model is loaded.</summary>
    Loaded,

    /// <summary>The server does not answer, or the model cannot be used.</summary>
    Failed,
}
