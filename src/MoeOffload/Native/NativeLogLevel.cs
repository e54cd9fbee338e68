using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Maps llama.cpp's levels to those of .NET, where Information is for what the user of an application wants to read. llama.cpp writes over a
/// hundred lines of its level INFO for each load, which are for those who look into a load.
/// </summary>
internal static class NativeLogLevel
{
    // Parts of warnings that each load of a sound model with sensible options gives, and that ask for nothing: how weights are read follows
    // from the placement, KvCacheOptions.FullSizeSwa says what a full-size cache is for, and llama.cpp corrects the tokens by itself.
    private static readonly string[] s_remarks =
    [
        "tensor overrides to CPU are used with mmap enabled",
        "using full-size SWA cache",
        "control-looking token:",
        "special_eog_ids contains",
        "attribute to USER_DEFINED",
    ];

    /// <summary>Gets the level of a line.</summary>
    /// <param name="level">The level that llama.cpp gave it.</param>
    public static LogLevel Of(ggml_log_level level) => level switch
    {
        ggml_log_level.GGML_LOG_LEVEL_ERROR => LogLevel.Error,
        ggml_log_level.GGML_LOG_LEVEL_WARN => LogLevel.Warning,
        ggml_log_level.GGML_LOG_LEVEL_INFO => LogLevel.Debug,
        _ => LogLevel.Trace,
    };

    /// <summary>Determines whether a warning says nothing that its reader could act on.</summary>
    /// <param name="warning">The text of the warning.</param>
    public static bool IsRemark(string warning) => Array.Exists(s_remarks, remark => warning.Contains(remark, StringComparison.Ordinal));
}
