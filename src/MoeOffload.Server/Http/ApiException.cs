namespace MoeOffload.Server.Http;

/// <summary>The exception that is thrown to send an error to the client, in the format of its API.</summary>
internal sealed class ApiException : Exception
{
    /// <summary>Initializes an internal error.</summary>
    public ApiException()
        : this("The server failed.")
    {
    }

    /// <summary>Initializes an internal error.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public ApiException(string message)
        : this(message, null)
    {
    }

    /// <summary>Initializes an internal error with its cause.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one.</param>
    public ApiException(string message, Exception? innerException)
        : this(500, "server_error", "internal_error", message, null, innerException)
    {
    }

    /// <summary>Initializes an error.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="type">The type of the error, as in OpenAI's API.</param>
    /// <param name="code">The code of the error, by which programs recognize it.</param>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="parameter">The field of the request that is not valid, or null.</param>
    /// <param name="innerException">The exception that caused this one.</param>
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

    /// <summary>
    /// Gets the type of the error, as in OpenAI's API: <c>invalid_request_error</c>, <c>authentication_error</c>, <c>rate_limit_error</c> or
    /// <c>server_error</c>.
    /// </summary>
    public string Type { get; }

    /// <summary>Gets the code of the error, by which programs recognize it, such as <c>model_not_found</c>.</summary>
    public string Code { get; }

    /// <summary>Gets the field of the request that is not valid; null if the error does not concern a field.</summary>
    public string? Parameter { get; }

    /// <summary>Gets the number of tokens of a prompt that is too long, and the maximum; null for other errors.</summary>
    public (int Tokens, int Most)? TooLong { get; init; }

    /// <summary>Creates an error with status 400 for a request that is not valid.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="parameter">The field that is not valid, or null.</param>
    /// <param name="code">The code of the error, by which programs recognize it.</param>
    public static ApiException Invalid(string message, string? parameter = null, string code = "invalid_value") =>
        new(400, "invalid_request_error", code, message, parameter);

    /// <summary>Creates an error with status 400 for a prompt that is too long.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="parameter">The field that has the prompt, or null.</param>
    /// <param name="tooLong">The number of tokens of the prompt, and the maximum; null if they are unknown.</param>
    public static ApiException ContextFull(string message, string? parameter, (int Tokens, int Most)? tooLong) =>
        new(400, "invalid_request_error", "context_length_exceeded", message, parameter) { TooLong = tooLong };

    /// <summary>Creates the same error with another message.</summary>
    public ApiException WithMessage(string message) =>
        message == Message ? this : new ApiException(Status, Type, Code, message, Parameter, InnerException ?? this) { TooLong = TooLong };

    /// <summary>Creates an error with status 400 for a missing field.</summary>
    /// <param name="parameter">The field.</param>
    public static ApiException Missing(string parameter) => Invalid($"Missing required parameter: '{parameter}'.", parameter, "missing_required_parameter");

    /// <summary>Creates an error with status 404 for a model that does not exist.</summary>
    /// <param name="model">The requested name.</param>
    public static ApiException ModelNotFound(string model) => new(
        404, "invalid_request_error", "model_not_found", $"The model '{model}' does not exist. GET /v1/models lists the available models.", "model");

    /// <summary>Creates an error with status 503 for a request that the server cannot process now.</summary>
    /// <param name="code">The code of the error, by which programs recognize it.</param>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public static ApiException Unavailable(string code, string message) => new(503, "server_error", code, message);

    /// <summary>Creates an error with status 429 for a request that exceeds the capacity of the server.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public static ApiException Busy(string message) => new(429, "rate_limit_error", "too_many_requests", message);
}
