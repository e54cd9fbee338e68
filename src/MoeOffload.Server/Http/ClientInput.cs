namespace MoeOffload.Server.Http;

/// <summary>
/// Passes the input of a client to the library. Argument exceptions of the library are then errors of the client, with status 400. The same
/// exceptions from anywhere else are defects of the server.
/// </summary>
internal static class ClientInput
{
    /// <summary>Calls a method that validates the input of a client.</summary>
    /// <param name="check">A method that only validates or stores the input.</param>
    /// <param name="parameter">The field of the request that is not valid, or null if it is unknown.</param>
    /// <param name="code">The code of the error, by which programs recognize it.</param>
    /// <exception cref="ApiException">The input is not valid.</exception>
    public static T Check<T>(Func<T> check, string? parameter = null, string code = "invalid_value")
    {
        try
        {
            return check();
        }
        catch (Exception error) when (IsInvalid(error))
        {
            throw Translate(error, parameter, code);
        }
    }

    /// <summary>Waits for a method that validates the input of a client on another thread.</summary>
    /// <param name="check">A method that only validates or stores the input.</param>
    /// <exception cref="ApiException">The input is not valid.</exception>
    public static async Task CheckAsync(Func<Task> check)
    {
        try
        {
            await check().ConfigureAwait(false);
        }
        catch (Exception error) when (IsInvalid(error))
        {
            throw Translate(error, parameter: null, code: "invalid_value");
        }
    }

    // A client cannot send a null reference, so ArgumentNullException is a defect of the server.
    private static bool IsInvalid(Exception error) => error is (ArgumentException and not ArgumentNullException) or NotSupportedException;

    private static ApiException Translate(Exception error, string? parameter, string code) => error is NotSupportedException
        ? new ApiException(400, "invalid_request_error", "unsupported", error.Message, parameter, error)
        : new ApiException(400, "invalid_request_error", code, WithoutParameter(error.Message), parameter, error);

    // .NET appends the name of the method's parameter, which is unknown to the client.
    private static string WithoutParameter(string message)
    {
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
