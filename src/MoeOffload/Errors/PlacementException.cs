namespace MoeOffload;

/// <summary>A placement rule, device or buffer type is unknown or cannot be honoured.</summary>
public sealed class PlacementException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public PlacementException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public PlacementException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public PlacementException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
