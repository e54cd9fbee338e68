namespace MoeOffload.Documentation.Tests;

/// <summary>The repository that the tests were built in.</summary>
internal static class Repository
{
    /// <summary>Gets its root directory.</summary>
    public static string Root { get; } = Find();

    /// <summary>Finds the pages for users and contributors, by their paths relative to <see cref="Root"/>.</summary>
    public static IEnumerable<string> Pages() => Directory.EnumerateFiles(Root, "*.md")
        .Concat(Directory.EnumerateFiles(Path.Combine(Root, "src"), "PACKAGE.md", SearchOption.AllDirectories))
        .Concat(Directory.EnumerateFiles(Path.Combine(Root, "native", "packages"), "*.md"))
        .Select(Relative)
        .Concat(SitePages());

    /// <summary>Finds the pages below <c>docs</c>, without the template of the white paper, whose links are those of the white paper.</summary>
    public static IEnumerable<string> SitePages() => Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
        .Select(Relative)
        .Where(page => page != "docs/whitepaper.template.md")
        .Order(StringComparer.Ordinal);

    /// <summary>Reads a file of the repository, with the line ends of Unix.</summary>
    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file)).ReplaceLineEndings("\n");

    private static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "MoeOffload.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No directory above {AppContext.BaseDirectory} holds MoeOffload.sln: run the tests in a checkout.");
    }
}
