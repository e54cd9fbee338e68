using System.Globalization;
using System.Text;
using MoeOffload.Chat;

namespace MoeOffload.Server.Http;

/// <summary>
/// Collects the parts of a chat that are not text, such as images. A mark takes the place of an image in the text of its message, so that
/// whatever rewrites messages keeps its place; when the model is known, <see cref="Resolve"/> turns marks into images. What the model cannot
/// read is a placeholder in earlier turns and in the results of tools, because the client sends them again with every request. In a question of
/// the user, it is an error, because the answer depends on it.
/// </summary>
internal sealed class Attachments
{
    private const string Image = "image";

    private readonly List<Attachment> _all = [];
    private readonly string _prefix = $"qzattachment{Guid.NewGuid():N}n";

    /// <summary>Gets a value that indicates whether there are no such parts.</summary>
    public bool IsEmpty => _all.Count == 0;

    /// <summary>Returns the placeholder of a part.</summary>
    /// <param name="kind">The kind of the part, such as <c>image</c>.</param>
    public static string Placeholder(string kind) => $"[{kind} omitted: this model reads only text]";

    /// <summary>Adds an image whose bytes are in Base64, or in a <c>data:</c> URI.</summary>
    /// <param name="path">The name of the part in errors.</param>
    /// <param name="source">The Base64 or the URI, or <see langword="null"/> if it is missing.</param>
    /// <param name="isOfUser">Whether the image is a part of a user's message.</param>
    /// <returns>The mark that takes its place in the text.</returns>
    public string AddImage(string path, string? source, bool isOfUser)
    {
        PromptImage? image = null;
        string? fault = null;
        try
        {
            image = PromptImage.FromBytes(Decode(source, out fault));
        }
        catch (Exception error) when (error is FormatException or ImageFormatException)
        {
            fault ??= error is ImageFormatException ? error.Message : "it is not Base64. Send the file as Base64, or as a data: URI such as data:image/png;base64,...";
        }

        return Add(new Attachment(path, Image, isOfUser, image, fault));
    }

    /// <summary>Adds a part that no model reads.</summary>
    /// <param name="path">The name of the part in errors.</param>
    /// <param name="kind">The kind of the part.</param>
    /// <param name="isOfUser">Whether the part is one of a user's message.</param>
    /// <returns>The mark that takes its place in the text.</returns>
    public string Add(string path, string kind, bool isOfUser) => Add(new Attachment(path, kind, isOfUser, null, null));

    /// <summary>Adds the images of a message that was resolved for an earlier request, and puts marks in their places.</summary>
    public ChatMessage Take(ChatMessage message) => message.Parts.Count == 0 ? message : message with
    {
        Content = string.Concat(message.Parts.Select(part =>
            part.Image is { } image ? Add(new Attachment(Image, Image, message.Role == ChatRole.User, image, null)) : part.Text)),
    };

    /// <summary>Turns the marks in messages into images, or into placeholders if the model does not read them.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="readsImages">Whether the model reads images.</param>
    /// <exception cref="ApiException">The question has a part that the model cannot read, or an image that is malformed.</exception>
    public IReadOnlyList<ChatMessage> Resolve(IReadOnlyList<ChatMessage> messages, bool readsImages)
    {
        if (_all.Count == 0)
        {
            return messages;
        }

        int question = FindQuestion(messages);
        return [.. messages.Select((message, index) => ResolveMessage(message, readsImages, isQuestion: index >= question && message.Role == ChatRole.User))];
    }

    private static ReadOnlySpan<byte> Decode(string? source, out string? fault)
    {
        fault = source is null ? "it has no data. Send the file as Base64, or as a data: URI"
            : source.StartsWith("http:", StringComparison.OrdinalIgnoreCase) || source.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
                ? "it is a link, and this server does not fetch links, because they could reach addresses inside its network. Send the file as a data: URI such as data:image/png;base64,..."
            : source.StartsWith("file:", StringComparison.OrdinalIgnoreCase) ? "it is a link to a file, and this server does not open files for clients. Send its content as a data: URI"
            : null;
        if (fault is not null)
        {
            throw new FormatException();
        }

        int comma = source!.StartsWith("data:", StringComparison.OrdinalIgnoreCase) ? source.IndexOf(',', StringComparison.Ordinal) : -1;
        return Convert.FromBase64String(source[(comma + 1)..]);
    }

    // The question is what follows the last answer. Agents send the images of a tool's result in a message of the user.
    private static int FindQuestion(IReadOnlyList<ChatMessage> messages)
    {
        int start = messages.Count;
        while (start > 0 && messages[start - 1].Role != ChatRole.Assistant)
        {
            start--;
            if (messages[start].Role == ChatRole.Tool)
            {
                return messages.Count;
            }
        }

        return start;
    }

    private string Add(Attachment attachment)
    {
        string mark = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{_all.Count}zq");
        _all.Add(attachment);
        return mark;
    }

    private ChatMessage ResolveMessage(ChatMessage message, bool readsImages, bool isQuestion)
    {
        string content = message.Content;
        var parts = new List<ChatPart>();
        var text = new StringBuilder();
        int start = 0;
        for (int at = Find(0); at >= 0; at = Find(start))
        {
            int number = at + _prefix.Length;
            int end = content.IndexOf("zq", number, StringComparison.Ordinal);
            Attachment attachment = _all[int.Parse(content.AsSpan(number, end - number), CultureInfo.InvariantCulture)];
            text.Append(content, start, at - start);
            start = end + "zq".Length;
            if (readsImages && attachment.Content is not null)
            {
                AddText();
                parts.Add(attachment.Content);
            }
            else
            {
                Check(attachment, readsImages, isQuestion);
                text.Append(Placeholder(attachment.Kind));
            }
        }

        text.Append(content, start, content.Length - start);
        if (parts.Count == 0)
        {
            return message with { Content = text.ToString() };
        }

        AddText();
        return message with { Parts = parts };

        int Find(int from) => content.IndexOf(_prefix, from, StringComparison.Ordinal);

        void AddText()
        {
            if (text.Length > 0)
            {
                parts.Add(text.ToString());
                text.Clear();
            }
        }
    }

    private static void Check(Attachment attachment, bool readsImages, bool isQuestion)
    {
        if (!isQuestion || !attachment.IsOfUser)
        {
            return;
        }

        throw readsImages && attachment.Fault is { } fault
            ? ApiException.Invalid($"The image in '{attachment.Path}' cannot be read: {fault}", attachment.Path, "invalid_image")
            : ApiException.Invalid(
                readsImages
                    ? $"'{attachment.Path}' is '{attachment.Kind}': this model reads only text and images. Remove it, or use a model and a server that read it."
                    : $"'{attachment.Path}' is '{attachment.Kind}': this model reads only text. Remove it, or use a model and a server that read it.",
                attachment.Path,
                "unsupported_content");
    }

    private sealed record Attachment(string Path, string Kind, bool IsOfUser, PromptImage? Content, string? Fault);
}
