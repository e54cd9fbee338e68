namespace MoeOffload.Server.Http;

/// <summary>
/// Hands to the library what a client has sent. The library's argument checks then are the client's errors, with status 400; the same
/// exceptions from anywhere else are defects of the server.
/// </summary>
internal static class ClientInput
{
    /// <summary>Calls what checks a client's input.</summary>
    /// <param name="check">Does nothing but check the input, or keep it.</param>
    /// <param name="parameter">The request's field at fault, if one is known.</param>
    /// <param name="code">What programs recognize the error by.</param>
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

    /// <summary>Waits for what checks a client's input on another thread.</summary>
    /// <param name="check">Does nothing but check the input, or keep it.</param>
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

    // No client can send what is null to .NET.
    private static bool IsInvalid(Exception error) => error is (ArgumentException and not ArgumentNullException) or NotSupportedException;

    private static ApiException Translate(Exception error, string? parameter, string code) => error is NotSupportedException
        ? new ApiException(400, "invalid_request_error", "unsupported", error.Message, parameter, error)
        : new ApiException(400, "invalid_request_error", code, WithoutParameter(error.Message), parameter, error);

    // .NET appends the name of a method's parameter, which a client does not know.
    private static string WithoutParameter(string message)
    {
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
