using System.Diagnostics;
using System.Text.RegularExpressions;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
public sealed partial class SiteTests
{
    [Test]
    public void Every_page_is_once_in_the_tables_of_contents()
    {
        string[] start = ["docs/index.md"]; // the navigation bar leads to it
        string[] evidence = [.. Repository.SitePages().Where(page => page.StartsWith("docs/evidence/", StringComparison.Ordinal))]; // linked by docs/evidence.md

        Site.Entries().Where(entry => entry.StartsWith("docs/", StringComparison.Ordinal) && entry.EndsWith(".md", StringComparison.Ordinal))
            .Should().BeEquivalentTo(Repository.SitePages().Except(start).Except(evidence), "each page has one place in docs/*/toc.yml");
    }

    [Test]
    public void Reference_has_the_api_of_every_package() =>
        Site.Packages.Should().BeEquivalentTo(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "PublicAPI.Shipped.txt", SearchOption.AllDirectories)
                .Select(file => Path.GetFileName(Path.GetDirectoryName(file)!))
                .Where(name => name.StartsWith(nameof(MoeOffload), StringComparison.Ordinal)),
            "docfx.json lists the assemblies of all packages");

    [Test]
    public async Task Site_builds_without_warnings_and_loads_nothing_from_other_hosts()
    {
        string site = Path.Combine(Repository.Root, "artifacts", "site");
        if (Directory.Exists(site))
        {
            Directory.Delete(site, recursive: true);
        }

        await RunAsync("tool", "restore");
        await RunAsync("docfx", "docfx.json", "--warningsAsErrors");

        string[] pages = Directory.GetFiles(site, "*.html", SearchOption.AllDirectories);
        pages.Length.Should().BeGreaterThan(200);
        pages.SelectMany(page => Loaded().Matches(File.ReadAllText(page)).Select(match => $"{Path.GetFileName(page)}: {match.Value}")).Should().BeEmpty();
    }

    private static async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, "dotnet {0} says:\n{1}\n{2}", string.Join(' ', arguments), output, await errors);
    }

    // What a browser loads by itself, as opposed to a link that a reader follows.
    [GeneratedRegex(@"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=""(?:https?:)?//[^""]*""|<link\b[^>]*\bhref=""(?:https?:)?//[^""]*""", RegexOptions.IgnoreCase)]
    private static partial Regex Loaded();
}
