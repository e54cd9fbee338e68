using Microsoft.Extensions.Logging;

namespace MoeOffload.Server.Http;

internal static partial class ApiLog
{
    [LoggerMessage(EventId = 10, Message = "{Method} {Route} {Status} {Code} in {Milliseconds:F0} ms, model {Model}, {PromptTokens} + {GeneratedTokens} tokens, request {RequestId}")]
    public static partial void Answered(
        ILogger logger, LogLevel level, string method, string route, int status, string code, double milliseconds, string model, int promptTokens, int generatedTokens, string requestId);

    [LoggerMessage(11, LogLevel.Error, "{Method} {Route} failed, request {RequestId}")]
    public static partial void Failed(ILogger logger, Exception error, string method, string route, string requestId);

    [LoggerMessage(12, LogLevel.Debug, "{Kind}: {Text}")]
    public static partial void Text(ILogger logger, string kind, string text);
}
