namespace MoeOffload;

/// <summary>The exception that is thrown when a session already runs as many generations as it can, and as many are waiting as <see cref="ContextOptions.QueueLimit"/> allows.</summary>
public sealed class QueueFullException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="QueueFullException"/> class.</summary>
    public QueueFullException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="QueueFullException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public QueueFullException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="QueueFullException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public QueueFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
