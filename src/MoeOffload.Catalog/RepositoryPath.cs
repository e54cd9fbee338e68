namespace MoeOffload.Catalog;

/// <summary>Checks the paths that a hub sends before they become paths on this machine.</summary>
internal static class RepositoryPath
{
    /// <summary>Determines whether a path with <c>/</c> stays inside the directory that it is appended to, on every system.</summary>
    public static bool IsSafe(string path) =>
        path.Length is > 0 and <= 1024
        && path.All(character => character >= ' ' && !"\\:*?\"<>|".Contains(character, StringComparison.Ordinal))
        && path.Split('/').All(part => part.Length > 0 && part[^1] is not ('.' or ' '));

    /// <summary>Determines whether a text is a hash in lowercase hexadecimal digits.</summary>
    public static bool IsHash(string text, params ReadOnlySpan<int> lengths) => lengths.Contains(text.Length) && text.All(char.IsAsciiHexDigitLower);
}
