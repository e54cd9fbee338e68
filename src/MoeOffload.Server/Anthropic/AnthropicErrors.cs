using System.Globalization;
using System.Text.Json;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Writes errors in Anthropic's format (https://docs.anthropic.com/en/api/errors).</summary>
internal static class AnthropicErrors
{
    public static ErrorFormat Format { get; } = new(
        (error, id) => JsonSerializer.SerializeToUtf8Bytes(
            new ErrorAnswer("error", new ErrorDetail(TypeOf(error), MessageOf(error)), id), AnthropicJson.Default.ErrorAnswer),
        EventName: "error");

    // Clients recognize this beginning, and shorten the chat.
    private static string MessageOf(ApiException error) => error.TooLong is (var tokens, var most)
        ? string.Create(CultureInfo.InvariantCulture, $"prompt is too long: {tokens} tokens > {most} maximum. {error.Message}")
        : error.Message;

    private static string TypeOf(ApiException error) => error.Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 or 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
