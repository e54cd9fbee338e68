using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Documentation.Tests;

[TestFixture]
[Parallelizable(ParallelScope.All)]
public sealed class SnippetTests
{
    [TestCaseSource(nameof(Snippets))]
    public void Sample_compiles(Snippet snippet)
    {
        ArgumentNullException.ThrowIfNull(snippet);

        SnippetCompiler.Compile(snippet).Should().BeEmpty();
    }

    [Test]
    public void Sample_that_does_not_compile_is_found_by_the_line_of_its_page()
    {
        var snippet = new Snippet("page.md", 10, "using MoeOffload;\nint given = 1;\n", "using System.Text;\n\nvar options = new ModelOptions();\noptions.Missing = given;\n");

        SnippetCompiler.Compile(snippet).Should().ContainSingle().Which.Should().StartWith("page.md:13: CS1061");
    }

    [Test]
    public void Every_page_with_samples_is_read() => Repository.Pages().Should().Contain(["README.md", "docs/server.md", "src/MoeOffload/PACKAGE.md"]);

    private static IEnumerable<TestCaseData> Snippets() => Repository.Pages()
        .SelectMany(page => Snippet.In(Repository.Root, page))
        .Select(snippet => new TestCaseData(snippet).SetArgDisplayNames(snippet.ToString()));
}
