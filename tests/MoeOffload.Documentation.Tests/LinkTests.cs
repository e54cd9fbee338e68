using System.Reflection;
using System.Text.RegularExpressions;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
public sealed partial class LinkTests
{
    private const string ApiScheme = "xref:";

    private static readonly Lazy<HashSet<string>> s_api = new(() =>
        [.. Packages().SelectMany(package => package.GetExportedTypes()).SelectMany(type => new[] { type.FullName!, type.Namespace! })]);

    [TestCaseSource(typeof(Repository), nameof(Repository.Pages))]
    public void Links_lead_to_files_and_headings_that_exist(string page)
    {
        string directory = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;

        IEnumerable<string> targets = Link().Matches(Code().Replace(Repository.Read(page), string.Empty))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal));

        targets.Where(target => !Exists(Path.Combine(Repository.Root, page), directory, target)).Should().BeEmpty();
    }

    private static bool Exists(string page, string directory, string target)
    {
        if (target.StartsWith(ApiScheme, StringComparison.Ordinal))
        {
            return s_api.Value.Contains(target[ApiScheme.Length..]);
        }

        string[] parts = target.Split('#', 2);
        string path = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(directory, parts[0]));
        return parts.Length == 1
            ? File.Exists(path) || Directory.Exists(path)
            : File.Exists(path) && Heading().Matches(File.ReadAllText(path)).Any(heading => Anchor(heading.Groups["text"].Value) == parts[1]);
    }

    private static IEnumerable<Assembly> Packages() => Site.Packages.Select(Assembly.Load);

    // As GitHub makes it from a heading.
    private static string Anchor(string heading) =>
        Punctuation().Replace(heading.Trim().ToLowerInvariant(), string.Empty).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]+`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
