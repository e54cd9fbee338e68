namespace MoeOffload.Server;

/// <summary>The exception that is thrown when a model cannot be unloaded because requests use it or it is being loaded.</summary>
public sealed class ModelInUseException : MoeOffloadException
{
    /// <summary>Initializes a new instance without a message.</summary>
    public ModelInUseException()
    {
    }

    /// <summary>Initializes a new instance with a message.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public ModelInUseException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance with a message and the exception that caused it.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ModelInUseException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
