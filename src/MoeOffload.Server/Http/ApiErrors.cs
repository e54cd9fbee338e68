using Microsoft.AspNetCore.Http;

namespace MoeOffload.Server;

/// <summary>What a client is told of an exception.</summary>
internal static class ApiErrors
{
    /// <summary>The status of a request whose client is gone, as nginx logs it.</summary>
    public const int ClientGone = 499;

    public static ApiException Explain(Exception error, ApiRequest request) => error switch
    {
        ApiException known => known,
        BadHttpRequestException bad => new ApiException(
            bad.StatusCode,
            "invalid_request_error",
            bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "request_too_large" : "invalid_request",
            bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The body is larger than the {request.Options.MaxBodyBytes} bytes that the server takes."
                : bad.Message,
            null,
            bad),
        ClientGoneException => Gone(error),
        OperationCanceledException or IOException => Explain(request, error),
        ContextFullException => ApiException.Invalid(error.Message, null, "context_length_exceeded"),
        QueueFullException => ApiException.Busy(error.Message),
        ChatTemplateException => ApiException.Invalid(error.Message, "messages", "chat_template_error"),
        ArgumentException => ApiException.Invalid(WithoutParameter(error.Message)),
        NotSupportedException => ApiException.Invalid(error.Message, null, "unsupported"),
        InferenceException => new ApiException(500, "server_error", "inference_failed", error.Message, null, error),
        ObjectDisposedException when request.Services.Gate.IsStopping => Stopping(),
        _ => new ApiException($"The server failed; its log has more under the request id {request.Id}.", error),
    };

    private static ApiException Explain(ApiRequest request, Exception error)
    {
        if (request.Http.RequestAborted.IsCancellationRequested)
        {
            return Gone(error);
        }

        return request.Services.Gate.Ending.IsCancellationRequested ? Stopping()
            : request.IsOverdue ? new ApiException(
                504, "server_error", "request_timeout", $"The request took longer than {request.Options.RequestTimeout.TotalSeconds} s.", null, error)
            : new ApiException($"The server failed; its log has more under the request id {request.Id}.", error);
    }

    private static ApiException Gone(Exception error) => new(ClientGone, "client_error", "client_gone", "The client is gone.", null, error);

    private static ApiException Stopping() =>
        ApiException.Unavailable("server_shutting_down", "The server is shutting down and ended the request: try again once it is back.");

    // .NET adds the name of a method's parameter, which a client does not know.
    private static string WithoutParameter(string message)
    {
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
