namespace MoeOffload;

/// <summary>The context has no room for a prompt or for the next token.</summary>
public sealed class ContextFullException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public ContextFullException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ContextFullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ContextFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
