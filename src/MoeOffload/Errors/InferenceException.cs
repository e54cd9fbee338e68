namespace MoeOffload;

/// <summary>A context could not be made, or a computation failed.</summary>
public sealed class InferenceException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public InferenceException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public InferenceException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public InferenceException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
