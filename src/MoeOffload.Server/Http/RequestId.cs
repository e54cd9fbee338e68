using Microsoft.AspNetCore.Http;

namespace MoeOffload.Server.Http;

/// <summary>Returns the id of a request: the one from the client if it is safe to log, or a new one.</summary>
internal static class RequestId
{
    public const string Header = "x-request-id";

    public static string Of(HttpContext http)
    {
        string? given = http.Request.Headers[Header];
        return given is { Length: > 0 and <= 128 } && given.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
            ? given
            : $"req_{Guid.NewGuid():N}";
    }
}
