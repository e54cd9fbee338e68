namespace MoeOffload.Server;

/// <summary>The exception that is thrown when a model does not fit the server's memory limit beside the models in use.</summary>
public sealed class ModelMemoryException : MoeOffloadException
{
    /// <summary>Initializes an instance without a message.</summary>
    public ModelMemoryException()
    {
    }

    /// <summary>Initializes an instance with a message.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    public ModelMemoryException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes an instance with a message and a cause.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ModelMemoryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
