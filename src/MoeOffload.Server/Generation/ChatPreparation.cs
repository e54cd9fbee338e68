using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Prepares the messages of a request, in the same way for all APIs.</summary>
internal static class ChatPreparation
{
    /// <summary>
    /// Tells the model the schema that the grammar does not hold completely, moves the current time behind what the prefix cache can hold, and puts
    /// images in their places.
    /// </summary>
    /// <param name="messages">The messages of the request.</param>
    /// <param name="options">The options of the answer.</param>
    /// <param name="request">The request.</param>
    /// <param name="model">The model.</param>
    /// <exception cref="ApiException">The question has a part that the model cannot read, or an image that is malformed.</exception>
    public static IReadOnlyList<ChatMessage> Apply(IReadOnlyList<ChatMessage> messages, ChatOptions options, ApiRequest request, MoeModel model)
    {
        IReadOnlyList<ChatMessage> told = SchemaNotice.Add(messages, options.ResponseSchema);
        return request.Attachments.Resolve(request.Options.MovesCurrentTime ? ChangingLines.Move(told) : told, model.Info.SupportsVision);
    }
}
