namespace MoeOffload.Server.Http;

/// <summary>Represents the format of an API's errors.</summary>
/// <param name="Body">Creates the JSON of an error. The second argument is the id of the request.</param>
/// <param name="StreamBody">Creates the JSON of an error in a stream, from the error and the number of earlier values of the stream; null if it is the same.</param>
/// <param name="EventName">The name of an error in a stream of server-sent events; null if events have no names.</param>
internal sealed record ErrorFormat(Func<ApiException, string, byte[]> Body, Func<ApiException, int, byte[]>? StreamBody = null, string? EventName = null);
