using Microsoft.Extensions.Logging;

namespace MoeOffload.Native;

/// <summary>Defines the log messages of the interop layer.</summary>
internal static partial class NativeLogMessages
{
    [LoggerMessage(EventId = 1, Message = "{Line}")]
    public static partial void Line(ILogger logger, LogLevel level, string line);

    [LoggerMessage(EventId = 2, Level = LogLevel.Debug, Message = "Native libraries of llama.cpp {Version} loaded from {Directory}")]
    public static partial void Loaded(ILogger logger, string version, string directory);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "Backend {File} is not available on this machine: {Reason}")]
    public static partial void BackendUnavailable(ILogger logger, string file, string reason);

    [LoggerMessage(EventId = 4, Level = LogLevel.Critical, Message = "llama.cpp aborted on one of its own threads: {Reason}")]
    public static partial void ForeignAbort(ILogger logger, string reason);
}
