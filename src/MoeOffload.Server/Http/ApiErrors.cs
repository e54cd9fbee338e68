using System.Globalization;
using Microsoft.AspNetCore.Http;
using MoeOffload.Catalog;

namespace MoeOffload.Server.Http;

/// <summary>Converts exceptions to errors for a client.</summary>
internal static class ApiErrors
{
    /// <summary>The status of a request whose client has disconnected, as in nginx's log.</summary>
    public const int ClientGone = 499;

    /// <summary>Converts an exception. If it is not a known error of the client or the model, the status is 500.</summary>
    public static ApiException Explain(Exception error, ApiRequest request) => error switch
    {
        ApiException known => known,
        BadHttpRequestException bad => ExplainBadRequest(bad, request),
        ClientGoneException => Gone(error),
        OperationCanceledException or IOException => ExplainEnd(error, request),
        ContextFullException full => ApiException.ContextFull(
            error.Message, request.PromptField, full is { PromptTokens: { } tokens, MaxPromptTokens: { } most } ? (tokens, most) : null),
        ImageFormatException => ApiException.Invalid(error.Message, request.PromptField ?? "messages", "invalid_image"),
        QueueFullException => ApiException.Busy(error.Message),
        ChatTemplateException => ApiException.Invalid(error.Message, request.PromptField ?? "messages", "chat_template_error"),
        ModelNotFoundException => new ApiException(404, "invalid_request_error", "model_not_found", error.Message, "model", error),
        AmbiguousModelException => ApiException.Invalid(error.Message, "model", "ambiguous_model"),
        ModelPullException => new ApiException(502, "server_error", "model_pull_failed", error.Message, "model", error),
        ModelInUseException => new ApiException(409, "invalid_request_error", "model_in_use", error.Message, "model", error),
        ModelMemoryException => ApiException.Unavailable("insufficient_memory", error.Message),
        ModelLoadException => new ApiException(502, "server_error", "model_load_failed", error.Message, "model", error),
        InferenceException => new ApiException(500, "server_error", "inference_failed", error.Message, null, error),
        ObjectDisposedException when request.Services.Gate.IsStopping => Stopping(),
        _ => Failed(error, request),
    };

    private static ApiException ExplainBadRequest(BadHttpRequestException error, ApiRequest request) =>
        error.StatusCode == StatusCodes.Status413PayloadTooLarge
            ? new ApiException(
                error.StatusCode,
                "invalid_request_error",
                "request_too_large",
                string.Create(CultureInfo.InvariantCulture, $"The body is larger than the {request.Limits.MaxBodyBytes} bytes that the server accepts."),
                null,
                error)
            : new ApiException(error.StatusCode, "invalid_request_error", "invalid_request", error.Message, null, error);

    private static ApiException ExplainEnd(Exception error, ApiRequest request)
    {
        if (request.Http.RequestAborted.IsCancellationRequested)
        {
            return Gone(error);
        }

        return request.Services.Gate.Ending.IsCancellationRequested ? Stopping()
            : request.IsOverdue ? new ApiException(
                504,
                "server_error",
                "request_timeout",
                string.Create(CultureInfo.InvariantCulture, $"The request took longer than {request.Limits.RequestTimeout.TotalSeconds} s."),
                null,
                error)
            : Failed(error, request);
    }

    private static ApiException Failed(Exception error, ApiRequest request) => new($"The server failed. For details, see the entries of request id {request.Id} in its log.", error);

    private static ApiException Gone(Exception error) => new(ClientGone, "client_error", "client_gone", "The client is gone.", null, error);

    private static ApiException Stopping() =>
        ApiException.Unavailable("server_shutting_down", "The server is shutting down and ended the request. Try again later.");
}
