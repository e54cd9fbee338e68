namespace MoeOffload;

/// <summary>A GGUF file breaks the format, or describes a model that cannot be.</summary>
public sealed class GgufFormatException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public GgufFormatException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public GgufFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public GgufFormatException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
