using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Maps llama.cpp's log levels to those of .NET. llama.cpp writes more than a hundred lines of its level INFO for each load, which are
/// details; .NET's Information is for the users of an application.
/// </summary>
internal static class NativeLogLevel
{
    // Parts of warnings that appear even for valid models with sensible options and require no action: how weights are read follows from the
    // placement, KvCacheOptions.FullSizeSwa explains the full-size cache, and llama.cpp corrects the tokens itself.
    private static readonly string[] s_remarks =
    [
        "tensor overrides to CPU are used with mmap enabled",
        "using full-size SWA cache",
        "control-looking token:",
        "special_eog_ids contains",
        "attribute to USER_DEFINED",
    ];

    /// <summary>Gets the .NET log level for a line.</summary>
    /// <param name="level">llama.cpp's level of the line.</param>
    public static LogLevel Of(ggml_log_level level) => level switch
    {
        ggml_log_level.GGML_LOG_LEVEL_ERROR => LogLevel.Error,
        ggml_log_level.GGML_LOG_LEVEL_WARN => LogLevel.Warning,
        ggml_log_level.GGML_LOG_LEVEL_INFO => LogLevel.Debug,
        _ => LogLevel.Trace,
    };

    /// <summary>Determines whether a warning requires no action.</summary>
    /// <param name="warning">The text of the warning.</param>
    public static bool IsRemark(string warning) => Array.Exists(s_remarks, remark => warning.Contains(remark, StringComparison.Ordinal));
}
