namespace MoeOffload;

/// <summary>A saved state is damaged, cut short, or of another model, context or version: nothing of it was used.</summary>
public sealed class StateFormatException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public StateFormatException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public StateFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public StateFormatException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
