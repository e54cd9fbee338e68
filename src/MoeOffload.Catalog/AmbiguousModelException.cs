namespace MoeOffload.Catalog;

/// <summary>The exception that is thrown when several models match the requested name.</summary>
public sealed class AmbiguousModelException : MoeOffloadException
{
    /// <summary>Initializes a new instance without a message.</summary>
    public AmbiguousModelException()
    {
    }

    /// <summary>Initializes a new instance with a message.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    public AmbiguousModelException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance with a message and the exception that caused it.</summary>
    /// <param name="message">A message that says what happened, where, and how to correct it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public AmbiguousModelException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Gets the models that match the name.</summary>
    public IReadOnlyList<CatalogEntry> Candidates { get; init; } = [];
}
