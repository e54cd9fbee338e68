namespace MoeOffload;

/// <summary>A model could not be loaded.</summary>
public sealed class ModelLoadException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public ModelLoadException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ModelLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ModelLoadException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
