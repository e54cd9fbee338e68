namespace MoeOffload.Server.Http;

/// <summary>The exception that is thrown at the edge of the server, and tells a client of an error in the shape of its API.</summary>
internal sealed class ApiException : Exception
{
    /// <summary>Initializes an internal error.</summary>
    public ApiException()
        : this("The server failed.")
    {
    }

    /// <summary>Initializes an internal error.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    public ApiException(string message)
        : this(message, null)
    {
    }

    /// <summary>Initializes an internal error with its cause.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ApiException(string message, Exception? innerException)
        : this(500, "server_error", "internal_error", message, null, innerException)
    {
    }

    /// <summary>Initializes an error.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="type">The kind of error, as OpenAI names it.</param>
    /// <param name="code">What programs recognize it by.</param>
    /// <param name="message">What happened, where, and the remedy.</param>
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

    /// <summary>Gets the HTTP status.</summary>
    public int Status { get; }

    /// <summary>Gets the kind of error, as OpenAI names it: <c>invalid_request_error</c>, <c>authentication_error</c>, <c>rate_limit_error</c>, <c>server_error</c>.</summary>
    public string Type { get; }

    /// <summary>Gets what programs recognize it by, such as <c>model_not_found</c>.</summary>
    public string Code { get; }

    /// <summary>Gets the request's field at fault; null if none is.</summary>
    public string? Parameter { get; }

    /// <summary>Creates the error that a request is not valid, with status 400.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    /// <param name="parameter">The field at fault, if one is.</param>
    /// <param name="code">What programs recognize it by.</param>
    public static ApiException Invalid(string message, string? parameter = null, string code = "invalid_value") =>
        new(400, "invalid_request_error", code, message, parameter);

    /// <summary>Creates the error that a field is missing, with status 400.</summary>
    /// <param name="parameter">The field.</param>
    public static ApiException Missing(string parameter) => Invalid($"Missing required parameter: '{parameter}'.", parameter, "missing_required_parameter");

    /// <summary>Creates the error that there is no such model, with status 404.</summary>
    /// <param name="model">The name that was asked for.</param>
    public static ApiException ModelNotFound(string model) => new(
        404, "invalid_request_error", "model_not_found", $"The model '{model}' does not exist: GET /v1/models lists those that do.", "model");

    /// <summary>Creates the error that the server cannot process the request now, with status 503.</summary>
    /// <param name="code">What programs recognize it by.</param>
    /// <param name="message">What happened, where, and the remedy.</param>
    public static ApiException Unavailable(string code, string message) => new(503, "server_error", code, message);

    /// <summary>Creates the error that the server has as much to do as it accepts, with status 429.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    public static ApiException Busy(string message) => new(429, "rate_limit_error", "too_many_requests", message);
}
