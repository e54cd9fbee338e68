namespace MoeOffload.Server;

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
        catch (ArgumentNullException)
        {
            // No client can send what is null to .NET.
            throw;
        }
        catch (ArgumentException error)
        {
            throw new ApiException(400, "invalid_request_error", code, WithoutParameter(error.Message), parameter, error);
        }
        catch (NotSupportedException error)
        {
            throw new ApiException(400, "invalid_request_error", "unsupported", error.Message, parameter, error);
        }
    }

    // .NET appends the name of a method's parameter, which a client does not know.
    private static string WithoutParameter(string message)
    {
        int end = message.IndexOf(" (Parameter '", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
