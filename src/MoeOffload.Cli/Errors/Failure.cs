using MoeOffload.Catalog;
using MoeOffload.Measurement.Loading;

namespace MoeOffload.Cli.Errors;

/// <summary>What an exception means to whoever called the command: one line, and an exit code.</summary>
internal static class Failure
{
    /// <summary>The exit code of an exception.</summary>
    public static int CodeOf(Exception error) => error switch
    {
        UsageException => ExitCode.Usage,
        ModelNotFoundException or AmbiguousModelException => ExitCode.ModelNotFound,
        LoadFailedException or ModelLoadException or GgufFormatException or PlacementException or NativeLibraryException => ExitCode.LoadFailed,
        _ when IsExpected(error) => ExitCode.Failure,
        _ => ExitCode.Defect,
    };

    /// <summary>The line of an exception.</summary>
    public static string LineOf(Exception error)
    {
        string message = CodeOf(error) == ExitCode.Defect
            ? $"this is a defect of moe: {error.GetType().Name}: {error.Message} (--verbose shows where; please report it)"
            : error is ArgumentException argument ? WithoutParameter(argument) : error.Message;
        return string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private static bool IsExpected(Exception error) => error is MoeOffloadException or IOException or UnauthorizedAccessException
        or ArgumentException or NotSupportedException or InvalidOperationException or FormatException or HttpRequestException;

    // .NET appends the name of a parameter, which means nothing on a command line.
    private static string WithoutParameter(ArgumentException error)
    {
        int end = error.ParamName is null ? -1 : error.Message.IndexOf($" (Parameter '{error.ParamName}')", StringComparison.Ordinal);
        return end < 0 ? error.Message : $"{error.ParamName}: {error.Message[..end]}{error.Message[(end + $" (Parameter '{error.ParamName}')".Length)..]}";
    }
}
