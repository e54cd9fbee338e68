namespace MoeOffload;

/// <summary>The exception that is thrown when a saved state is damaged, truncated, or belongs to another model, context or version. Nothing of it has been restored.</summary>
public sealed class StateFormatException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="StateFormatException"/> class.</summary>
    public StateFormatException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="StateFormatException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public StateFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="StateFormatException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public StateFormatException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
