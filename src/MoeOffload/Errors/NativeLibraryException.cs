namespace MoeOffload;

/// <summary>The exception that is thrown when the native libraries are missing, damaged, or of a different version than the bindings.</summary>
public sealed class NativeLibraryException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="NativeLibraryException"/> class.</summary>
    public NativeLibraryException()
    {
    }

    /// <summary>Initializes a new instance of the <see cref="NativeLibraryException"/> class with a message.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    public NativeLibraryException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="NativeLibraryException"/> class with a message and the exception that caused it.</summary>
    /// <param name="message">The message, which says what happened, where, and what can be done about it.</param>
    /// <param name="innerException">The exception that caused this one, or <see langword="null"/>.</param>
    public NativeLibraryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
