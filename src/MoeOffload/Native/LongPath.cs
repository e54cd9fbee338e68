namespace MoeOffload.Native;

/// <summary>
/// Converts paths for native code. On Windows, its functions accept at most 259 characters, unless the path starts with a prefix that turns off
/// this limit and the processing of the path.
/// </summary>
internal static class LongPath
{
    private const int LongestPlainPath = 259;
    private const string Prefix = @"\\?\";
    private const string SharePrefix = @"\\?\UNC\";

    /// <summary>Returns a path that native code can open.</summary>
    /// <param name="path">The path, which can be relative.</param>
    public static string ForNativeCode(string path) => OperatingSystem.IsWindows() ? Extend(path, Path.GetFullPath) : path;

    /// <summary>Adds the prefix to a long path of Windows.</summary>
    /// <param name="path">The path.</param>
    /// <param name="complete">Returns the full path with backslashes, without <c>.</c> and <c>..</c>.</param>
    internal static string Extend(string path, Func<string, string> complete)
    {
        string full = complete(path);
        if (full.Length <= LongestPlainPath || full.StartsWith(Prefix, StringComparison.Ordinal) || full.StartsWith(@"\\.\", StringComparison.Ordinal))
        {
            return path;
        }

        return full.StartsWith(@"\\", StringComparison.Ordinal) ? SharePrefix + full[2..] : Prefix + full;
    }
}
