using System.Text.Json;
using System.Text.RegularExpressions;

namespace MoeOffload.Documentation.Tests;

/// <summary>What the site consists of, as <c>docfx.json</c> and the tables of contents describe it.</summary>
internal static partial class Site
{
    /// <summary>Gets the names of the packages whose API the site describes.</summary>
    public static IReadOnlyList<string> Packages { get; } = [.. ReadPackages()];

    /// <summary>Reads the files that the tables of contents refer to, by their paths relative to the repository.</summary>
    public static IEnumerable<string> Entries() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "toc.yml", SearchOption.AllDirectories)
        .SelectMany(toc => Reference().Matches(File.ReadAllText(toc))
            .Select(match => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(toc)!, match.Groups["target"].Value))))
        .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/'));

    private static IEnumerable<string> ReadPackages()
    {
        using var configuration = JsonDocument.Parse(Repository.Read("docfx.json"));
        return
        [
            .. configuration.RootElement.GetProperty("metadata")[0].GetProperty("src")[0].GetProperty("files").EnumerateArray()
                .Select(file => Path.GetFileNameWithoutExtension(file.GetString()!)),
        ];
    }

    [GeneratedRegex(@"^\s*href: (?<target>\S+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Reference();
}
