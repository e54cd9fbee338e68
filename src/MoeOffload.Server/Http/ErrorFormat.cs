namespace MoeOffload.Server.Http;

/// <summary>Represents how an API tells its clients of errors.</summary>
/// <param name="Body">Makes the JSON of an error; the second argument is the request's id.</param>
/// <param name="StreamBody">Makes the JSON of an error within a stream; null if it is the same.</param>
/// <param name="EventName">The name of an error in a stream of server-sent events; null if events have no names.</param>
internal sealed record ErrorFormat(Func<ApiException, string, byte[]> Body, Func<ApiException, string, byte[]>? StreamBody = null, string? EventName = null);
