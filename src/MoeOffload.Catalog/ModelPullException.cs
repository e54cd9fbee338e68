namespace MoeOffload.Catalog;

/// <summary>A model could not be pulled from a hub.</summary>
public sealed class ModelPullException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public ModelPullException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public ModelPullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public ModelPullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
