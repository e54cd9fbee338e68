namespace MoeOffload;

/// <summary>The exception that is thrown when a placement rule, device or buffer type is unknown or cannot be used.</summary>
public sealed class PlacementException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="PlacementException"/> class.</summary>
    public PlacementException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="PlacementException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public PlacementException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="PlacementException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public PlacementException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
