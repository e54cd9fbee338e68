namespace MoeOffload;

/// <summary>Represents an error that MoeOffload reports, and serves as the base class of its exceptions. Invalid arguments and states are reported with .NET's own exceptions.</summary>
public class MoeOffloadException : Exception
{
    /// <summary>Initializes a new instance of the <see cref="MoeOffloadException"/> class.</summary>
    public MoeOffloadException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="MoeOffloadException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public MoeOffloadException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="MoeOffloadException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public MoeOffloadException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
