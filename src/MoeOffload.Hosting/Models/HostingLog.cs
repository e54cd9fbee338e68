using Microsoft.Extensions.Logging;

namespace MoeOffload.Hosting.Models;

internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Information, "Loading model {Model} from {Path}")]
    public static partial void Loading(ILogger logger, string model, string path);

    [LoggerMessage(2, LogLevel.Information, "Loading model {Model}: {Percent} %")]
    public static partial void Progress(ILogger logger, string model, int percent);

    [LoggerMessage(3, LogLevel.Information, "Loaded model {Model} in {Seconds:F2} s")]
    public static partial void Loaded(ILogger logger, string model, double seconds);

    [LoggerMessage(4, LogLevel.Error, "Model {Model} could not be loaded")]
    public static partial void Failed(ILogger logger, Exception error, string model);

    [LoggerMessage(5, LogLevel.Information, "The load of model {Model} was canceled, because the application stops")]
    public static partial void Canceled(ILogger logger, string model);

    [LoggerMessage(6, LogLevel.Information, "Unloaded model {Model}")]
    public static partial void Unloaded(ILogger logger, string model);
}
