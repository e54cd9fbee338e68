namespace MoeOffload.Catalog;

/// <summary>The exception that is thrown when a model cannot be downloaded from a hub.</summary>
public sealed class ModelPullException : MoeOffloadException
{
    /// <summary>Initializes a new instance without a message.</summary>
    public ModelPullException()
    {
    }

    /// <summary>Initializes a new instance with a message.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public ModelPullException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance with a message and the exception that caused it.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ModelPullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
