namespace MoeOffload;

/// <summary>A chat template could not be parsed or rendered. The message has the template engine's own words and position.</summary>
public sealed class ChatTemplateException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public ChatTemplateException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ChatTemplateException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ChatTemplateException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
