namespace MoeOffload.Catalog;

/// <summary>Several models of the catalog have the name that was asked for.</summary>
public sealed class AmbiguousModelException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public AmbiguousModelException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public AmbiguousModelException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public AmbiguousModelException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The models that the name could mean.</summary>
    public IReadOnlyList<CatalogEntry> Candidates { get; init; } = [];
}
