namespace MoeOffload;

/// <summary>The exception that is thrown when a trace of experts is damaged, truncated, or has another version of the format. Nothing of it is returned.</summary>
public sealed class TraceFormatException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="TraceFormatException"/> class.</summary>
    public TraceFormatException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="TraceFormatException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public TraceFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="TraceFormatException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public TraceFormatException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
