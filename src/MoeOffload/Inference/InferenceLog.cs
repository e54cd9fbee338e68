using Microsoft.Extensions.Logging;

namespace MoeOffload.Inference;

/// <summary>Defines the log messages of inference.</summary>
internal static partial class InferenceLog
{
    [LoggerMessage(EventId = 20, Level = LogLevel.Warning, Message = "The context was lost and has been created again: {Reason}")]
    public static partial void ContextRebuilt(ILogger logger, string reason);

    [LoggerMessage(EventId = 21, Level = LogLevel.Error, Message = "{Reason}")]
    public static partial void ContextLost(ILogger logger, string reason);

    [LoggerMessage(EventId = 22, Level = LogLevel.Warning, Message = "The draft model is no longer used: {Reason}")]
    public static partial void DraftModelLost(ILogger logger, string reason);

    [LoggerMessage(EventId = 23, Level = LogLevel.Warning, Message = "The layers for multi-token prediction are no longer used: {Reason}")]
    public static partial void MtpLayersLost(ILogger logger, string reason);

    [LoggerMessage(EventId = 24, Level = LogLevel.Warning, Message = "{Reason}")]
    public static partial void TraceLost(ILogger logger, string reason);
}
