namespace MoeOffload;

/// <summary>A session runs as many generations as it can, and as many wait as <see cref="ContextOptions.QueueLimit"/> allows.</summary>
public sealed class QueueFullException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public QueueFullException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public QueueFullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public QueueFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
