namespace MoeOffload.Server.Routing;

/// <summary>Specifies who may use an endpoint.</summary>
internal enum ApiAccess
{
    /// <summary>Clients with a key, if the server accepts requests.</summary>
    Work,

    /// <summary>Clients with a key, at any time, because the endpoint does little work.</summary>
    Look,

    /// <summary>All clients, at any time.</summary>
    Open,
}
