using System.Text.RegularExpressions;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
public sealed partial class LinkTests
{
    [TestCaseSource(typeof(Repository), nameof(Repository.Pages))]
    public void Links_lead_to_files_and_headings_that_exist(string page)
    {
        string directory = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;

        IEnumerable<string> targets = Link().Matches(File.ReadAllText(Path.Combine(Repository.Root, page)))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal));

        targets.Where(target => !Exists(Path.Combine(Repository.Root, page), directory, target)).Should().BeEmpty();
    }

    private static bool Exists(string page, string directory, string target)
    {
        string[] parts = target.Split('#', 2);
        string path = parts[0].Length == 0 ? page : Path.GetFullPath(Path.Combine(directory, parts[0]));
        return parts.Length == 1
            ? File.Exists(path) || Directory.Exists(path)
            : File.Exists(path) && Heading().Matches(File.ReadAllText(path)).Any(heading => Anchor(heading.Groups["text"].Value) == parts[1]);
    }

    // As GitHub makes it from a heading.
    private static string Anchor(string heading) =>
        Punctuation().Replace(heading.Trim().ToLowerInvariant(), string.Empty).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
