namespace MoeOffload;

/// <summary>The exception that is thrown when a GGUF file violates the format, or describes a model that cannot exist.</summary>
public sealed class GgufFormatException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="GgufFormatException"/> class.</summary>
    public GgufFormatException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="GgufFormatException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public GgufFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="GgufFormatException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public GgufFormatException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
