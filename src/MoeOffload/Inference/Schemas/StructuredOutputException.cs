namespace MoeOffload.Schemas;

/// <summary>
/// The exception that is thrown if an answer cannot be deserialized to the requested type: it was cut off by the token limit or the context
/// length, or the type rejected it.
/// </summary>
public sealed class StructuredOutputException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="StructuredOutputException"/> class.</summary>
    public StructuredOutputException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="StructuredOutputException"/> class with a message.</summary>
    /// <param name="message">A message that describes the error, its location and a remedy.</param>
    public StructuredOutputException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="StructuredOutputException"/> class with a message and an inner exception.</summary>
    /// <param name="message">A message that describes the error, its location and a remedy.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public StructuredOutputException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Gets or sets the output of the model, which might be incomplete.</summary>
    public string Output { get; init; } = string.Empty;
}
