namespace MoeOffload.Server;

/// <summary>Specifies who may use an endpoint.</summary>
internal enum ApiAccess
{
    /// <summary>Whoever has a key, as long as the server accepts requests.</summary>
    Work,

    /// <summary>Whoever has a key, at any time: it costs next to nothing.</summary>
    Look,

    /// <summary>Everyone, at any time.</summary>
    Open,
}
