namespace MoeOffload.Chat;

/// <summary>Represents a part of a chat message: a text or an image. A string or an image is converted implicitly.</summary>
public sealed record ChatPart
{
    private ChatPart()
    {
    }

    /// <summary>Gets the text, or <see langword="null"/> if the part is an image.</summary>
    public string? Text { get; private init; }

    /// <summary>Gets the image, or <see langword="null"/> if the part is a text.</summary>
    public PromptImage? Image { get; private init; }

    /// <summary>Converts a text.</summary>
    /// <param name="text">The text.</param>
    public static implicit operator ChatPart(string text) => FromText(text);

    /// <summary>Converts an image.</summary>
    /// <param name="image">The image.</param>
    public static implicit operator ChatPart(PromptImage image) => FromImage(image);

    /// <summary>Creates a part that is a text.</summary>
    /// <param name="text">The text.</param>
    public static ChatPart FromText(string text) => new() { Text = text ?? throw new ArgumentNullException(nameof(text)) };

    /// <summary>Creates a part that is an image.</summary>
    /// <param name="image">The image.</param>
    public static ChatPart FromImage(PromptImage image) => new() { Image = image ?? throw new ArgumentNullException(nameof(image)) };
}
