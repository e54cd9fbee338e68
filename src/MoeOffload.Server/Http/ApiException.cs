namespace MoeOffload.Server;

/// <summary>An error that a client is told, in the shape of the API that it speaks.</summary>
public sealed class ApiException : Exception
{
    /// <summary>Makes an internal error.</summary>
    public ApiException()
        : this("The server failed.")
    {
    }

    /// <summary>Makes an internal error.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ApiException(string message)
        : this(message, null)
    {
    }

    /// <summary>Makes an internal error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ApiException(string message, Exception? innerException)
        : this(500, "server_error", "internal_error", message, null, innerException)
    {
    }

    /// <summary>Makes an error.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="type">The kind of error, as OpenAI names it.</param>
    /// <param name="code">What programs can tell it by.</param>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="parameter">The request's field at fault, if one is.</param>
    /// <param name="innerException">The cause.</param>
    public ApiException(int status, string type, string code, string message, string? parameter = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Status = status;
        Type = type;
        Code = code;
        Parameter = parameter;
    }

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>The kind of error, as OpenAI names it: <c>invalid_request_error</c>, <c>authentication_error</c>, <c>rate_limit_error</c>, <c>server_error</c>.</summary>
    public string Type { get; }

    /// <summary>What programs can tell it by, such as <c>model_not_found</c>.</summary>
    public string Code { get; }

    /// <summary>The request's field at fault, if one is.</summary>
    public string? Parameter { get; }

    /// <summary>The request is wrong, status 400.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="parameter">The field at fault, if one is.</param>
    /// <param name="code">What programs can tell it by.</param>
    public static ApiException Invalid(string message, string? parameter = null, string code = "invalid_value") =>
        new(400, "invalid_request_error", code, message, parameter);

    /// <summary>There is no such model, status 404.</summary>
    /// <param name="model">The name that was asked for.</param>
    public static ApiException ModelNotFound(string model) => new(
        404, "invalid_request_error", "model_not_found", $"The model '{model}' does not exist: GET /v1/models lists those that do.", "model");

    /// <summary>The server cannot take the request now, status 503.</summary>
    /// <param name="code">What programs can tell it by.</param>
    /// <param name="message">What, where, remedy.</param>
    public static ApiException Unavailable(string code, string message) => new(503, "server_error", code, message);

    /// <summary>The server has as much to do as it takes, status 429.</summary>
    /// <param name="message">What, where, remedy.</param>
    public static ApiException Busy(string message) => new(429, "rate_limit_error", "too_many_requests", message);
}
