namespace MoeOffload;

/// <summary>The exception that is thrown when a chat template cannot be parsed or rendered. The message contains the template engine's own message and the position.</summary>
public sealed class ChatTemplateException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="ChatTemplateException"/> class.</summary>
    public ChatTemplateException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="ChatTemplateException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public ChatTemplateException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="ChatTemplateException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ChatTemplateException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
