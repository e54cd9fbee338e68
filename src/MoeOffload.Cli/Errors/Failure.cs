using MoeOffload.Catalog;
using MoeOffload.Measurement.Loading;

namespace MoeOffload.Cli.Errors;

/// <summary>Converts exceptions to an error message of one line and an exit code.</summary>
internal static class Failure
{
    /// <summary>Gets the exit code of an exception.</summary>
    public static int CodeOf(Exception error) => error switch
    {
        UsageException => ExitCode.Usage,
        ArgumentException argument when MemberNames.OptionOf(argument.ParamName) is not null => ExitCode.Usage,
        ModelNotFoundException or AmbiguousModelException => ExitCode.ModelNotFound,
        LoadFailedException or ModelLoadException or GgufFormatException or PlacementException or NativeLibraryException => ExitCode.LoadFailed,
        _ when IsExpected(error) => ExitCode.Failure,
        _ => ExitCode.Defect,
    };

    /// <summary>Gets the error message of an exception, on one line.</summary>
    public static string LineOf(Exception error)
    {
        string message = CodeOf(error) == ExitCode.Defect
            ? $"this is a bug in moe: {error.GetType().Name}: {error.Message} (please report it; --verbose shows the stack trace)"
            : MessageOf(error);
        return string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    /// <summary>Gets an exception's message in the words of the command: with its options, and without .NET's name of a parameter.</summary>
    public static string MessageOf(Exception error) => MemberNames.Translate(error is ArgumentException argument ? WithoutParameter(argument) : error.Message);

    private static bool IsExpected(Exception error) => error is MoeOffloadException or IOException or UnauthorizedAccessException
        or ArgumentException or NotSupportedException or InvalidOperationException or FormatException or HttpRequestException;

    // .NET appends the name of a parameter, which is meaningless on a command line unless it is the name of an option.
    private static string WithoutParameter(ArgumentException error)
    {
        string appended = $" (Parameter '{error.ParamName}')";
        int end = error.ParamName is null ? -1 : error.Message.IndexOf(appended, StringComparison.Ordinal);
        string message = end < 0 ? error.Message : error.Message.Remove(end, appended.Length);
        return MemberNames.OptionOf(error.ParamName) is { } option && !message.StartsWith(error.ParamName!, StringComparison.OrdinalIgnoreCase)
            ? $"{option}: {message}"
            : message;
    }
}
