namespace MoeOffload;

/// <summary>The native libraries are missing, damaged, or of another version than the bindings.</summary>
public sealed class NativeLibraryException : MoeOffloadException
{
    /// <summary>Makes an error without a message.</summary>
    public NativeLibraryException()
    {
    }

    /// <summary>Makes an error that says what happened, where, and what to do about it.</summary>
    /// <param name="message">What, where, remedy.</param>
    public NativeLibraryException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an error with its cause.</summary>
    /// <param name="message">What, where, remedy.</param>
    /// <param name="innerException">The cause.</param>
    public NativeLibraryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
