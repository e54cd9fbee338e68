using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>
/// Collects the parts of a chat that a model cannot read, such as images. In earlier turns and in the results of tools, a placeholder takes
/// their place, because the client sends them again with every request. In a question of the user, they are an error, because the answer
/// depends on them.
/// </summary>
internal sealed class Attachments
{
    private readonly List<(int Message, string Path, string Kind)> _ofUsers = [];

    /// <summary>Returns the placeholder of a part.</summary>
    /// <param name="kind">The kind of the part, such as <c>image</c>.</param>
    public static string Placeholder(string kind) => $"[{kind} omitted: this model reads only text]";

    /// <summary>Adds a part of a user's message.</summary>
    /// <param name="message">The number of the message.</param>
    /// <param name="path">The name of the part in errors.</param>
    /// <param name="kind">The kind of the part.</param>
    /// <returns>The placeholder.</returns>
    public string Add(int message, string path, string kind)
    {
        _ofUsers.Add((message, path, kind));
        return Placeholder(kind);
    }

    /// <summary>Checks that no part belongs to the question that is to be answered.</summary>
    /// <exception cref="ApiException">The last turn of the user has such a part.</exception>
    public void Check(IReadOnlyList<ChatMessage> messages)
    {
        int start = messages.Count;
        while (start > 0 && messages[start - 1].Role != ChatRole.Assistant)
        {
            start--;
            if (messages[start].Role == ChatRole.Tool)
            {
                // Agents send the images of a tool's result in a message of the user.
                return;
            }
        }

        (int, string Path, string Kind) part = _ofUsers.Find(part => part.Message >= start);
        if (part.Path is not null)
        {
            throw ApiException.Invalid(
                $"'{part.Path}' is '{part.Kind}': this model reads only text. Remove it, or use a model and a server that read it.", part.Path, "unsupported_content");
        }
    }
}
