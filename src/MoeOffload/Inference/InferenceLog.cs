using Microsoft.Extensions.Logging;

namespace MoeOffload;

/// <summary>The messages of inference.</summary>
internal static partial class InferenceLog
{
    [LoggerMessage(EventId = 20, Level = LogLevel.Warning, Message = "The context was lost and made again: {Reason}")]
    public static partial void ContextRebuilt(ILogger logger, string reason);

    [LoggerMessage(EventId = 21, Level = LogLevel.Error, Message = "RPC server {Servers} was lost: {Reason}")]
    public static partial void ServerLost(ILogger logger, string servers, string reason);
}
