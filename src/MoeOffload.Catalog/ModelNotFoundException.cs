namespace MoeOffload.Catalog;

/// <summary>The exception that is thrown when neither the catalog nor the hub has a model with the requested name.</summary>
public sealed class ModelNotFoundException : MoeOffloadException
{
    /// <summary>Initializes a new instance without a message.</summary>
    public ModelNotFoundException()
    {
    }

    /// <summary>Initializes a new instance with a message.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public ModelNotFoundException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance with a message and the exception that caused it.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public ModelNotFoundException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
