namespace MoeOffload;

/// <summary>The exception that is thrown when a context cannot be created, or a computation fails.</summary>
public sealed class InferenceException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="InferenceException"/> class.</summary>
    public InferenceException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="InferenceException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public InferenceException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="InferenceException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public InferenceException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
