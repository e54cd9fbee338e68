using MoeOffload.Chat;

namespace MoeOffload.Server.Generation;

/// <summary>Prepares the messages of a request, in the same way for all APIs.</summary>
internal static class ChatPreparation
{
    /// <summary>Tells the model the schema that the grammar does not hold completely, and moves the current time behind what the prefix cache can hold.</summary>
    /// <param name="messages">The messages of the request.</param>
    /// <param name="options">The options of the answer.</param>
    /// <param name="defaults">The options of the server.</param>
    public static IReadOnlyList<ChatMessage> Apply(IReadOnlyList<ChatMessage> messages, ChatOptions options, RequestDefaults defaults)
    {
        IReadOnlyList<ChatMessage> told = SchemaNotice.Add(messages, options.ResponseSchema);
        return defaults.MovesCurrentTime ? ChangingLines.Move(told) : told;
    }
}
