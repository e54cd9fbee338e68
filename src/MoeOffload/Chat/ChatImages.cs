using System.Globalization;
using System.Text;

namespace MoeOffload.Chat;

/// <summary>
/// Represents the images of a chat. For its template, a mark that no text contains takes the place of each image, so that the template, and
/// everything that rewrites histories, deals with text only.
/// </summary>
internal sealed class ChatImages
{
    /// <summary>The text that takes the place of an image if the model takes only text.</summary>
    public const string Placeholder = "[image omitted: this model reads only text]";

    private readonly Dictionary<string, PromptImage> _images = new(StringComparer.Ordinal);
    private readonly string _prefix = $"qzimage{Guid.NewGuid():N}n";

    private ChatImages(IReadOnlyList<ChatMessage> messages) => Messages = messages;

    /// <summary>Gets the messages with marks instead of images.</summary>
    public IReadOnlyList<ChatMessage> Messages { get; private set; }

    /// <summary>Takes the images out of messages.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="takesImages">Whether the model takes images. If it does not, a placeholder takes the place of those in earlier turns.</param>
    /// <exception cref="NotSupportedException">The question that is to be answered has an image, and the model takes only text.</exception>
    public static ChatImages Take(IReadOnlyList<ChatMessage> messages, bool takesImages)
    {
        var images = new ChatImages(messages);
        if (messages.All(message => message is null || message.Parts.Count == 0))
        {
            return images;
        }

        if (!takesImages)
        {
            CheckQuestion(messages);
        }

        images.Messages = [.. messages.Select(message => message is null || message.Parts.Count == 0 ? message! : images.Flatten(message, takesImages))];
        return images;
    }

    /// <summary>Gets the images by the marks in a prompt.</summary>
    /// <exception cref="ChatTemplateException">The template has left out an image.</exception>
    public IReadOnlyDictionary<string, PromptImage> FindIn(string prompt) =>
        _images.Keys.All(mark => prompt.Contains(mark, StringComparison.Ordinal))
            ? _images
            : throw new ChatTemplateException("The chat template left out a message with an image. Use a template that shows all messages, or remove the image.");

    // The client of a model sends earlier turns again with every request, and an answer depends on the image in a question.
    private static void CheckQuestion(IReadOnlyList<ChatMessage> messages)
    {
        for (int i = messages.Count - 1; i >= 0 && messages[i]?.Role is not (ChatRole.Assistant or ChatRole.Tool); i--)
        {
            if (messages[i] is { Role: ChatRole.User } question && question.Parts.Any(part => part.Image is not null))
            {
                throw new NotSupportedException(
                    "The message has an image, but the model was loaded without a projector and reads only text. Put its mmproj file beside it, set ModelOptions.ProjectorPath, use a model for images, or remove the image.");
            }
        }
    }

    // As llama.cpp's server does, texts are on lines of their own, and nothing is added beside an image.
    private ChatMessage Flatten(ChatMessage message, bool takesImages)
    {
        var text = new StringBuilder();
        bool isAfterText = false;
        foreach (ChatPart part in message.Parts)
        {
            bool isText = part.Text is not null || !takesImages;
            if (isText && isAfterText)
            {
                text.Append('\n');
            }

            text.Append(part.Image is null ? part.Text : takesImages ? Mark(part.Image) : Placeholder);
            isAfterText = isText;
        }

        return message with { Content = text.ToString() };
    }

    private string Mark(PromptImage image)
    {
        string mark = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{_images.Count}zq");
        _images.Add(mark, image);
        return mark;
    }
}
