using Microsoft.Extensions.Logging;

namespace MoeOffload.Extensions.AI;

/// <summary>Specifies how a chat client uses a session.</summary>
public sealed record MoeChatClientOptions
{
    /// <summary>
    /// Gets or sets the id of the model in responses and in the metadata of the client, or <see langword="null"/> to use the name of the
    /// model's file without its extension.
    /// </summary>
    public string? ModelId { get; init; }

    /// <summary>
    /// Gets or sets the options of requests that do not specify otherwise. Options that <c>Microsoft.Extensions.AI.ChatOptions</c> does not
    /// have, such as <see cref="SamplingOptions.MinP"/> or <see cref="Chat.ChatOptions.Priority"/>, are set here.
    /// </summary>
    public Chat.ChatOptions Defaults
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Defaults));
    }
    = new();

    /// <summary>
    /// Gets or sets the number of conversations that the client keeps. If it is greater than 0, each response has a <c>ConversationId</c>,
    /// and a request with that id contains only the messages that are new. If there are more, those that were used least recently are
    /// forgotten. By default, the client keeps none, and each request contains all messages.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int KeptConversations
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(KeptConversations));
            field = value;
        }
    }

    /// <summary>
    /// Gets or sets the logger, or <see langword="null"/> for none. It is told which additional properties of requests are unknown and
    /// therefore ignored, once each.
    /// </summary>
    public ILogger? Logger { get; init; }
}
