using Microsoft.Extensions.Logging;

namespace MoeOffload.Chat;

/// <summary>Writes log messages about chats.</summary>
internal static partial class ChatLog
{
    [LoggerMessage(EventId = 30, Level = LogLevel.Information, Message = "Left out {Omitted} of {Count} messages of a chat, the oldest turns: the prompt has {Tokens} tokens, and there is room for {Room} beside the answer.")]
    public static partial void TurnsOmitted(ILogger logger, int omitted, int count, int tokens, int room);
}
