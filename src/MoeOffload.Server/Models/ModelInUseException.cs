namespace MoeOffload.Server;

/// <summary>The exception that is thrown when a model is to be unloaded while requests use it or it is still being loaded.</summary>
public sealed class ModelInUseException : MoeOffloadException
{
    /// <summary>Initializes an instance without a message.</summary>
    public ModelInUseException()
    {
    }

    /// <summary>Initializes an instance with a message.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    public ModelInUseException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes an instance with a message and a cause.</summary>
    /// <param name="message">What happened, where, and the remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ModelInUseException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
