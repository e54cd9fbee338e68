using Microsoft.Extensions.Logging;

namespace MoeOffload.Models;

/// <summary>Defines the log messages about loading models and creating contexts.</summary>
internal static partial class ModelLog
{
    /// <summary>The category of these messages.</summary>
    public const string Category = "MoeOffload.MoeModel";

    [LoggerMessage(EventId = 10, Level = LogLevel.Warning, Message = "Placement rule {Rule}, `{Pattern}`, matches no tensor of {Path}")]
    public static partial void RuleUnmatched(ILogger logger, int rule, string pattern, string path);

    [LoggerMessage(EventId = 11, Level = LogLevel.Information,
        Message = "Loaded {Path}: {Architecture}, {ParameterCount} parameters, expert_count = {ExpertCount}, expert_used_count = {ExpertUsedCount}")]
    public static partial void Loaded(ILogger logger, string path, string architecture, long parameterCount, int expertCount, int expertUsedCount);

    [LoggerMessage(EventId = 12, Level = LogLevel.Information,
        Message = "{Buffer} on {Device}: {Tensors} tensors, {Mebibytes:0.0} MiB, of which {ExpertTensors} expert tensors, {ExpertMebibytes:0.0} MiB")]
    public static partial void BufferHolds(
        ILogger logger, string buffer, string device, int tensors, double mebibytes, int expertTensors, double expertMebibytes);

    [LoggerMessage(EventId = 13, Level = LogLevel.Debug, Message = "Placement rule {Rule}, `{Pattern}` to {Buffer}, moved {Tensors} tensors, {Mebibytes:0.0} MiB")]
    public static partial void RuleMoved(ILogger logger, int rule, string pattern, string buffer, int tensors, double mebibytes);

    [LoggerMessage(EventId = 15, Level = LogLevel.Information,
        Message = "Created a context of {Tokens} tokens for {Sequences} sequences: {ContextMebibytes:0.0} MiB, and {ComputeMebibytes:0.0} MiB of compute buffers, on {Device}")]
    public static partial void ContextHolds(
        ILogger logger, int tokens, int sequences, double contextMebibytes, double computeMebibytes, string device);

    [LoggerMessage(EventId = 14, Level = LogLevel.Information,
        Message = "Loaded adapter {Path}, which changes {Tensors} tensors; {Norms} norms in it are ignored, as in llama.cpp")]
    public static partial void AdapterLoaded(ILogger logger, string path, int tensors, int norms);

    [LoggerMessage(EventId = 17, Level = LogLevel.Information, Message = "Loaded projector {Path}, with which {Model} takes images: {Mebibytes:0.0} MiB on {Device}")]
    public static partial void ProjectorLoaded(ILogger logger, string path, string model, double mebibytes, string device);

    [LoggerMessage(EventId = 18, Level = LogLevel.Information,
        Message = "Projector {Path} is not used for {Model}: {Reason}; to use it nevertheless, set ModelOptions.ProjectorPath")]
    public static partial void ProjectorIgnored(ILogger logger, string path, string model, string reason);

    [LoggerMessage(EventId = 19, Level = LogLevel.Warning, Message = "{Model} is loaded without the projector that was found beside it, and takes no images: {Reason}")]
    public static partial void ProjectorFailed(ILogger logger, string model, string reason);

    [LoggerMessage(EventId = 16, Level = LogLevel.Warning,
        Message = "{Path} has no chat template, so chats have the ChatML format, which the model may not know; set ModelOptions.ChatTemplate to its template")]
    public static partial void NoChatTemplate(ILogger logger, string path);
}
