namespace MoeOffload.Catalog;

/// <summary>No model of the catalog, or of a hub, has the name that was asked for.</summary>
public sealed class ModelNotFoundException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public ModelNotFoundException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ModelNotFoundException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ModelNotFoundException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
