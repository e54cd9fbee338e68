namespace MoeOffload;

/// <summary>The exception that is thrown when the context has no room for a prompt or for the next token.</summary>
public sealed class ContextFullException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="ContextFullException"/> class.</summary>
    public ContextFullException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="ContextFullException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public ContextFullException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="ContextFullException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ContextFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Gets the number of tokens of the prompt, or <see langword="null"/> if the exception does not concern a prompt.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Gets the maximum number of tokens of a prompt, or <see langword="null"/> if the exception does not concern a prompt.</summary>
    public int? MaxPromptTokens { get; init; }
}
