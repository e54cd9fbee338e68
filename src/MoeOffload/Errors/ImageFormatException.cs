namespace MoeOffload;

/// <summary>The exception that is thrown if an image cannot be decoded: it is damaged, too large, or of an unsupported format.</summary>
public sealed class ImageFormatException : MoeOffloadException
{
    /// <summary>Initializes a new instance of the <see cref="ImageFormatException"/> class.</summary>
    /// <param name="message">A message that describes what is wrong with the image.</param>
    public ImageFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="ImageFormatException"/> class with the exception that caused it.</summary>
    /// <param name="message">A message that describes what is wrong with the image.</param>
    /// <param name="innerException">The exception that caused this one.</param>
    public ImageFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
