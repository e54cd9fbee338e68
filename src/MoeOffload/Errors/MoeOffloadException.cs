namespace MoeOffload;

/// <summary>The base of every error that MoeOffload reports, apart from .NET's own argument and state errors.</summary>
public class MoeOffloadException : Exception
{
    /// <summary>Makes an error without a message.</summary>
    public MoeOffloadException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public MoeOffloadException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public MoeOffloadException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
