namespace MoeOffload.Catalog;

/// <summary>Paths that a hub names, and that become paths of this machine.</summary>
internal static class RepositoryPath
{
    /// <summary>Whether a path with <c>/</c> stays below the directory that it is put into, on every system.</summary>
    public static bool IsSafe(string path) =>
        path.Length is > 0 and <= 1024
        && path.All(character => character >= ' ' && !"\\:*?\"<>|".Contains(character, StringComparison.Ordinal))
        && path.Split('/').All(part => part.Length > 0 && part[^1] is not ('.' or ' '));

    /// <summary>Whether a text is a hash in lower-case hexadecimal digits.</summary>
    public static bool IsHash(string text, params ReadOnlySpan<int> lengths) => lengths.Contains(text.Length) && text.All(char.IsAsciiHexDigitLower);
}
