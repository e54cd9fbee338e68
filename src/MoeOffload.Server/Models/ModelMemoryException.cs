namespace MoeOffload.Server;

/// <summary>The exception that is thrown when a model and the models in use together exceed the server's memory limit.</summary>
public sealed class ModelMemoryException : MoeOffloadException
{
    /// <summary>Initializes a new instance without a message.</summary>
    public ModelMemoryException()
    {
    }

    /// <summary>Initializes a new instance with a message.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public ModelMemoryException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance with a message and the exception that caused it.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ModelMemoryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
