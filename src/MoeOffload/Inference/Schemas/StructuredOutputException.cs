namespace MoeOffload.Schemas;

/// <summary>An answer that should be JSON of a type is not: it was cut by the token limit or the context, or the type refused it.</summary>
public sealed class StructuredOutputException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public StructuredOutputException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public StructuredOutputException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public StructuredOutputException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>What the model wrote, as far as it came.</summary>
    public string Output { get; init; } = string.Empty;
}
