using Microsoft.Extensions.Logging;

namespace MoeOffload.Server.Models;

internal static partial class ModelLog
{
    [LoggerMessage(1, LogLevel.Information, "Loading model {Model} from {Path}")]
    public static partial void Loading(ILogger logger, string model, string path);

    [LoggerMessage(2, LogLevel.Information, "Loaded model {Model} in {Seconds:F2} s; it uses {Bytes} bytes, including its context")]
    public static partial void Loaded(ILogger logger, string model, double seconds, long bytes);

    [LoggerMessage(3, LogLevel.Error, "Model {Model} could not be loaded from {Path}")]
    public static partial void LoadFailed(ILogger logger, Exception error, string model, string path);

    [LoggerMessage(4, LogLevel.Information, "Unloaded model {Model}")]
    public static partial void Unloaded(ILogger logger, string model);

    [LoggerMessage(5, LogLevel.Information, "The context of {Path} now has {Tokens} tokens, because a request asked for it")]
    public static partial void Lengthened(ILogger logger, string path, int tokens);

    [LoggerMessage(6, LogLevel.Warning, "The context of {Path} keeps its length, although a request asked for {Tokens} tokens: {Reason}")]
    public static partial void NotLengthened(ILogger logger, string path, int tokens, string reason);
}
